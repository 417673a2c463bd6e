"""What outlives a configuration closes once, with the last who uses it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.shelf import Loan, Shelf


class Thing:
    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


def take(loan: Loan, words: object) -> Thing:
    return loan.take(words, Thing, Thing.close)


async def test_the_same_words_give_the_same_thing_and_other_words_another() -> None:
    shelf = Shelf()
    old, new = Loan(shelf), Loan(shelf)
    kept = take(old, ("a", {"url": 1}))
    assert take(old, ("a", {"url": 1})) is kept
    assert take(new, ("a", {"url": 1})) is kept
    assert take(new, ("a", {"url": 2})) is not kept
    await old.give_back()
    assert kept.closed == 0
    await new.give_back()
    assert kept.closed == 1


async def test_a_thing_that_was_closed_is_never_given_again() -> None:
    shelf = Shelf()
    loan = Loan(shelf)
    first = take(loan, "a")
    await loan.give_back()
    await loan.give_back()
    assert first.closed == 1
    assert take(Loan(shelf), "a") is not first


async def test_what_needs_no_closing_is_forgotten_all_the_same() -> None:
    shelf = Shelf()
    loan = Loan(shelf)
    first = loan.take("a", Thing)
    await loan.give_back()
    assert loan.take("a", Thing) is not first


async def test_one_that_does_not_close_leaves_no_other_open() -> None:
    async def fail(_thing: Thing) -> None:
        raise OSError

    loan = Loan(Shelf())
    good = [take(loan, "a"), take(loan, "b")]
    loan.take("bad", Thing, fail)
    with pytest.raises(OSError):  # noqa: PT011  (it has no words)
        await loan.give_back()
    assert [one.closed for one in good] == [1, 1]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), max_size=30))
async def test_whoever_takes_and_gives_back_in_whatever_order_nothing_in_use_is_closed(
    story: list[tuple[int, str]],
) -> None:
    shelf = Shelf()
    loans = [Loan(shelf) for _ in range(3)]
    held: dict[int, set[Thing]] = {0: set(), 1: set(), 2: set()}
    every: set[Thing] = set()
    for who, words in story:
        if who == 3:
            number = "abc".index(words)
            await loans[number].give_back()
            held[number] = set()
        else:
            thing = take(loans[who], words)
            held[who].add(thing)
            every.add(thing)
        in_use = set().union(*held.values())
        assert {thing.closed for thing in in_use} <= {0}
        assert {thing.closed for thing in every - in_use} <= {1}
