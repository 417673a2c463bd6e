"""What an entry is good for: properties that hold whatever the settings, the times and chance."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adapters.outcome import Billing, Dispute, Found, Lookup, Missing, Reason, Unavailable
from config import settings
from proxy.cache.rules import (
    JITTER,
    Entry,
    Lives,
    State,
    entry_of,
    fresh_for_ms,
    is_due,
    judge,
)
from proxy.cache.seal import CLOCK_TOLERANCE_MS, LONGEST_MS

ASKED = 1_800_000_000_000
FOUND = Found(Dispute(active=True))
lucks = st.floats(0, 1, exclude_max=True)
ages = st.integers(0, 2 * LONGEST_MS)


@st.composite
def all_lives(draw: st.DrawFn) -> Lives:
    ttl_ms = draw(st.integers(1, LONGEST_MS))
    return Lives(
        ttl_ms=ttl_ms,
        negative_ttl_ms=draw(st.integers(1, ttl_ms)),
        staleness_ms=draw(st.integers(0, LONGEST_MS - ttl_ms)),
    )


@st.composite
def entries(draw: st.DrawFn) -> Entry[Dispute]:
    """As any sidecar may have kept them, whatever its settings."""
    made = entry_of(
        draw(st.sampled_from([FOUND, Missing()])),
        asked_at_ms=ASKED,
        learned_at_ms=ASKED + draw(st.integers(0, 5_000)),
        lives=draw(all_lives()),
        luck=draw(lucks),
    )
    assume(made is not None)
    assert made is not None
    return made


def kept(known: Lookup[Dispute], lives: Lives, luck: float = 0.0) -> Entry[Dispute]:
    made = entry_of(known, asked_at_ms=ASKED, learned_at_ms=ASKED, lives=lives, luck=luck)
    assert made is not None
    return made


# Settings


@given(ttl_ms=st.integers(1, 2 * LONGEST_MS), staleness_ms=st.integers(0, 2 * LONGEST_MS))
def test_nothing_can_be_set_to_live_longer_than_300_s(ttl_ms: int, staleness_ms: int) -> None:
    if ttl_ms + staleness_ms <= 300_000:
        Lives(ttl_ms=ttl_ms, negative_ttl_ms=1, staleness_ms=staleness_ms)
    else:
        with pytest.raises(ValueError, match="300 s"):
            Lives(ttl_ms=ttl_ms, negative_ttl_ms=1, staleness_ms=staleness_ms)


@pytest.mark.parametrize(
    ("ttl_ms", "negative_ttl_ms", "staleness_ms"), [(0, 0, 0), (10, 0, 0), (10, 11, 0), (10, 5, -1)]
)
def test_lives_that_make_no_sense_are_refused(
    ttl_ms: int, negative_ttl_ms: int, staleness_ms: int
) -> None:
    with pytest.raises(ValueError, match="lives for a time"):
        Lives(ttl_ms=ttl_ms, negative_ttl_ms=negative_ttl_ms, staleness_ms=staleness_ms)


def test_lives_are_as_configured() -> None:
    setting = settings.Cache().model_copy(
        update={"ttl": 2.5, "negative_ttl": 10.0, "staleness": 60.0}
    )
    assert Lives.of(setting) == Lives(ttl_ms=2_500, negative_ttl_ms=2_500, staleness_ms=60_000)
    setting = setting.model_copy(update={"ttl": 0.0001, "negative_ttl": 0.0001})
    assert Lives.of(setting) == Lives(ttl_ms=1, negative_ttl_ms=1, staleness_ms=60_000)


# What is kept


@given(lives=all_lives(), luck=lucks, took_ms=ages, reason=st.sampled_from(Reason))
def test_that_nobody_could_say_is_never_kept(
    lives: Lives, luck: float, took_ms: int, reason: Reason
) -> None:
    lookup: Lookup[Billing] = Unavailable(reason)
    times = {"asked_at_ms": ASKED, "learned_at_ms": ASKED + took_ms}
    assert entry_of(lookup, lives=lives, luck=luck, **times) is None


@given(lives=all_lives(), luck=lucks)
def test_what_came_from_a_cache_past_its_life_is_not_kept_again(lives: Lives, luck: float) -> None:
    for lookup in (Found(Dispute(active=True), stale=True), Missing(stale=True)):
        times = {"asked_at_ms": ASKED, "learned_at_ms": ASKED}
        assert entry_of(lookup, lives=lives, luck=luck, **times) is None


@given(lives=all_lives(), luck=lucks, took_ms=st.integers(0, LONGEST_MS))
def test_chance_only_shortens_a_life_and_not_by_much(
    lives: Lives, luck: float, took_ms: int
) -> None:
    for known, life_ms in ((FOUND, lives.ttl_ms), (Missing(), lives.negative_ttl_ms)):
        entry = entry_of(
            known, asked_at_ms=ASKED, learned_at_ms=ASKED + took_ms, lives=lives, luck=luck
        )
        shortest_ms = max(1, round(life_ms * (1 - JITTER)))
        if entry is None:
            assert took_ms >= shortest_ms, "it was over before it was known"
            continue
        assert shortest_ms <= entry.fresh_until_ms - ASKED <= life_ms
        assert entry.cost_ms == took_ms


@given(entry=entries())
def test_every_entry_ends_within_300_s_of_its_question(entry: Entry[Dispute]) -> None:
    assert ASKED < entry.fresh_until_ms <= entry.ends_at_ms <= ASKED + 300_000


# What it is good for


@given(entry=entries(), lives=all_lives(), age_ms=ages)
def test_nothing_is_used_beyond_the_life_that_the_reader_allows(
    entry: Entry[Dispute], lives: Lives, age_ms: int
) -> None:
    """Whoever kept it may have had a longer life in mind."""
    state = judge(entry, now_ms=ASKED + age_ms, lives=lives)
    if age_ms >= lives.fresh_ms(entry.known):
        assert state is not State.FRESH
    if age_ms >= lives.ttl_ms + lives.staleness_ms or age_ms >= 300_000:
        assert state is State.GONE


@given(entry=entries(), lives=all_lives(), age_ms=ages)
def test_nothing_is_used_beyond_the_life_that_its_writer_gave_it(
    entry: Entry[Dispute], lives: Lives, age_ms: int
) -> None:
    now_ms = ASKED + age_ms
    state = judge(entry, now_ms=now_ms, lives=lives)
    if now_ms >= entry.fresh_until_ms:
        assert state is not State.FRESH
    if now_ms >= entry.ends_at_ms:
        assert state is State.GONE


@given(entry=entries(), lives=all_lives(), age_ms=ages)
def test_stale_answers_exist_only_where_they_are_switched_on(
    entry: Entry[Dispute], lives: Lives, age_ms: int
) -> None:
    off = Lives(ttl_ms=lives.ttl_ms, negative_ttl_ms=lives.negative_ttl_ms)
    assert judge(entry, now_ms=ASKED + age_ms, lives=off) is not State.STALE


@given(lives=all_lives(), luck=lucks, age_ms=ages)
def test_a_customer_who_was_not_there_is_never_said_to_be_missing_past_that_life(
    lives: Lives, luck: float, age_ms: int
) -> None:
    entry = kept(Missing(), lives, luck)
    state = judge(entry, now_ms=ASKED + age_ms, lives=lives)
    assert state is (State.FRESH if ASKED + age_ms < entry.fresh_until_ms else State.GONE)


@given(entry=entries(), lives=all_lives(), ages=st.lists(ages, max_size=10).map(sorted))
def test_an_entry_never_gets_better(entry: Entry[Dispute], lives: Lives, ages: list[int]) -> None:
    order = [State.FRESH, State.STALE, State.GONE]
    states = [order.index(judge(entry, now_ms=ASKED + age, lives=lives)) for age in ages]
    assert states == sorted(states)


def test_fresh_then_stale_then_gone() -> None:
    lives = Lives(ttl_ms=30_000, negative_ttl_ms=5_000, staleness_ms=60_000)
    entry = kept(FOUND, lives)
    at = {age: judge(entry, now_ms=ASKED + age, lives=lives) for age in (29_999, 30_000, 89_999)}
    assert list(at.values()) == [State.FRESH, State.STALE, State.STALE]
    assert judge(entry, now_ms=ASKED + 90_000, lives=lives) is State.GONE


def test_an_entry_from_the_future_is_good_for_nothing_beyond_what_clocks_differ() -> None:
    lives = Lives(ttl_ms=30_000, negative_ttl_ms=5_000)
    entry = kept(FOUND, lives)
    assert judge(entry, now_ms=ASKED - CLOCK_TOLERANCE_MS, lives=lives) is State.FRESH
    assert judge(entry, now_ms=ASKED - CLOCK_TOLERANCE_MS - 1, lives=lives) is State.GONE


# Early refresh


@given(entry=entries(), lives=all_lives(), age_ms=ages, luck=lucks)
def test_only_fresh_entries_in_the_second_half_of_their_life_are_refreshed(
    entry: Entry[Dispute], lives: Lives, age_ms: int, luck: float
) -> None:
    now_ms = ASKED + age_ms
    if is_due(entry, now_ms=now_ms, lives=lives, luck=luck):
        left_ms = fresh_for_ms(entry, now_ms=now_ms, lives=lives)
        assert judge(entry, now_ms=now_ms, lives=lives) is State.FRESH
        assert 0 < left_ms <= age_ms


@given(entry=entries(), lives=all_lives(), age_ms=ages, luck=lucks, less_ms=st.integers(0, 1000))
def test_the_nearer_the_end_the_likelier_a_refresh(
    entry: Entry[Dispute], lives: Lives, age_ms: int, luck: float, less_ms: int
) -> None:
    now_ms = ASKED + age_ms
    if is_due(entry, now_ms=now_ms, lives=lives, luck=luck):
        later_ms = now_ms + less_ms
        still_fresh = judge(entry, now_ms=later_ms, lives=lives) is State.FRESH
        assert is_due(entry, now_ms=later_ms, lives=lives, luck=luck) is still_fresh


@given(cost_ms=st.integers(1, 7_000), luck=lucks)
def test_a_refresh_is_certain_while_the_time_for_one_more_lookup_is_left(
    cost_ms: int, luck: float
) -> None:
    lives = Lives(ttl_ms=30_000, negative_ttl_ms=5_000)
    entry = kept(FOUND, lives)._replace(cost_ms=cost_ms)
    now_ms = entry.fresh_until_ms - 2 * cost_ms
    assert is_due(entry, now_ms=now_ms, lives=lives, luck=luck)


def test_who_is_asked_about_once_in_a_life_is_seldom_asked_for_more() -> None:
    """Counted over a grid of moments and chances: the price of no wait for the hot ones."""
    lives = Lives(ttl_ms=30_000, negative_ttl_ms=5_000)
    entry = kept(FOUND, lives)._replace(cost_ms=50)
    grid = [(age, luck / 100) for age in range(0, 30_000, 100) for luck in range(100)]
    due = sum(is_due(entry, now_ms=ASKED + age, lives=lives, luck=luck) for age, luck in grid)
    assert 0.03 < due / len(grid) < 0.07


def test_entries_tell_nobody_what_they_hold() -> None:
    entry = kept(Found(Dispute(active=True)), Lives(ttl_ms=1000, negative_ttl_ms=1))
    assert repr(entry) == "Entry()"
