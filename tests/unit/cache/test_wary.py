"""A stream of replies is followed in whatever pieces it comes."""

import time
from itertools import pairwise

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.wary import MOST_BYTES, MOST_ELEMENTS, MOST_LINE, Claims

HUGE = b"*%d\r\n" % (MOST_ELEMENTS + 1)

strings = st.binary(max_size=40).map(lambda it: b"$%d\r\n%s\r\n" % (len(it), it))
lines = st.sampled_from([b"+OK\r\n", b"-ERR no\r\n", b":12\r\n", b"_\r\n", b"#t\r\n", b"$-1\r\n"])
leaves = strings | lines | st.just(b"*-1\r\n") | st.just(b"$8\r\n*99999\r\n\r\n")
replies = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4).map(lambda it: b"*%d\r\n" % len(it) + b"".join(it)),
    max_leaves=12,
)


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    return [stream[a:b] for a, b in pairwise(places)]


def look_at_all(stream: list[bytes]) -> None:
    claims = Claims()
    for piece in stream:
        claims.look(piece)


@given(st.lists(replies, min_size=1, max_size=5), st.lists(st.integers(min_value=0), max_size=12))
def test_what_claims_no_more_than_it_has_passes(said: list[bytes], cuts: list[int]) -> None:
    claims, reader = Claims(), hiredis.Reader()
    for piece in pieces(b"".join(said), cuts):
        claims.look(piece)
        reader.feed(piece)
    for _ in said:
        assert reader.gets() is not False  # the strategy speaks RESP, or this proves nothing


@given(st.lists(replies, max_size=4), st.lists(st.integers(min_value=0), max_size=12))
def test_a_list_that_claims_too_much_is_refused_wherever_it_comes(
    before: list[bytes], cuts: list[int]
) -> None:
    with pytest.raises(ValueError, match="more than"):
        look_at_all(pieces(b"".join(before) + HUGE, cuts))


@pytest.mark.parametrize("kind", [b"*", b"~", b">", b"%", b"|"])
def test_every_kind_of_list_has_the_limit(kind: bytes) -> None:
    Claims().look(kind + b"%d\r\n" % MOST_ELEMENTS)
    with pytest.raises(ValueError, match="more than"):
        Claims().look(kind + b"%d\r\n" % (MOST_ELEMENTS + 1))


@pytest.mark.parametrize("kind", [b"$", b"=", b"!"])
def test_every_kind_of_string_has_the_limit(kind: bytes) -> None:
    Claims().look(kind + b"%d\r\n" % MOST_BYTES)
    with pytest.raises(ValueError, match="more than"):
        Claims().look(kind + b"%d\r\n" % (MOST_BYTES + 1))


@pytest.mark.parametrize("nonsense", [b"$\r\n", b"*x\r\n", b"$?\r\n", b"*1.5\r\n"])
def test_a_claim_that_is_no_number_is_refused(nonsense: bytes) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Claims().look(nonsense)


def test_a_line_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="without an end"):
        look_at_all([b"+" * 1024] * (MOST_LINE // 1024 + 1))


def test_a_value_in_many_pieces_costs_no_more_than_its_size() -> None:
    """Nothing of it is kept, or looked at again with each piece."""
    claims, value = Claims(), b"\r\n" * (MOST_BYTES // 2)
    begin = time.perf_counter()
    claims.look(b"$%d\r\n" % MOST_BYTES)
    for start in range(0, MOST_BYTES, 64):
        claims.look(value[start : start + 64])
    claims.look(b"\r\n+OK\r\n")
    assert time.perf_counter() - begin < 1  # 16,384 pieces; with all of it kept it is a minute
    with pytest.raises(ValueError, match="more than"):
        claims.look(HUGE)


@given(
    st.integers(0, 30),
    st.integers(0, 40),
    st.lists(replies, max_size=3),
    st.lists(st.integers(min_value=0), max_size=6),
)
def test_strings_of_one_length_hide_no_claim_behind_them(
    number: int, length: int, after: list[bytes], cuts: list[int]
) -> None:
    """They are skipped together; whatever follows them is looked at."""
    alike = b"".join(b"$%d\r\n%s\r\n" % (length, b"x" * length) for _ in range(number))
    stream = alike + b"".join(after)
    look_at_all(pieces(stream, cuts))
    with pytest.raises(ValueError, match="more than"):
        look_at_all(pieces(stream + HUGE, cuts))


def test_a_string_that_only_looks_like_those_before_it_is_looked_at() -> None:
    alike = b"$2\r\nab\r\n" * 20
    with pytest.raises(ValueError, match="more than"):
        look_at_all([alike + HUGE[:4] + HUGE[4:] + alike])
    with pytest.raises(ValueError, match="more than"):
        look_at_all([alike + b"$9999999\r\n" + alike])


def test_what_keeps_looking_alike_and_is_not_takes_no_longer() -> None:
    stream = b"$1\r\na\r\n" * 9_000 + b"+a\r\n"
    begin = time.perf_counter()
    for _ in range(20):
        look_at_all([stream])
    assert time.perf_counter() - begin < 5  # tried for each of them it is a minute
