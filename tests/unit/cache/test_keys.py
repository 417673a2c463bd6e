"""Key rings: what is a ring, what is not, and how little is said about either."""

import traceback
from base64 import b64decode, b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.keys import KEY_BYTES, MOST_KEYS, KeyRing, KeyRings, new_key, new_rings, parse_ring
from tests.unit.cache.sealing import key, ring

KEYS = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES)


def _line(number: int) -> bytes:
    return b64encode(key(number))


@given(st.lists(KEYS, min_size=1, max_size=MOST_KEYS, unique=True), st.sampled_from(["\n", "\r\n"]))
def test_a_ring_is_read_back_in_its_order(keys: list[bytes], end: str) -> None:
    lines = ["# which seals", "", *(b64encode(one).decode() for one in keys), "   ", "\t# the end"]
    assert parse_ring(end.join(lines).encode()).keys == tuple(keys)


def test_space_around_a_key_and_a_mark_before_the_file_are_skipped() -> None:
    assert parse_ring(b"\xef\xbb\xbf  " + _line(1) + b" \t\n").keys == (key(1),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "there is no key"),
        (b"\n# " + _line(1) + b"\n", "there is no key"),
        (_line(1) + b"\n" + b64encode(key(2)[:16]), "line 2 holds 16 bytes: a key has 32"),
        (b64encode(key(2) + b"!"), "line 1 holds 33 bytes: a key has 32"),
        (b"\n\n" + _line(1)[:-1], "line 3 is not base64"),
        (_line(1)[:10] + b" " + _line(1)[10:], "line 1 is not base64"),
        (_line(1) + b" # the first", "line 1 is not base64"),
        (key(1).hex().encode(), "line 1 holds 48 bytes: a key has 32"),
        (key(3), "line 1 is not base64"),
        (_line(1) + b"\n" + _line(2) + b"\n" + _line(1), "a key stands there twice"),
        (b"\n".join(_line(n) for n in range(MOST_KEYS + 1)), "there are more than 16 keys"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_ring_is_refused_in_words_that_quote_nothing(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        parse_ring(content)
    assert str(refusal.value) == words
    assert refusal.value.__cause__ is refusal.value.__context__ is None


@given(st.binary(max_size=200))
def test_any_file_is_a_ring_or_is_refused(content: bytes) -> None:
    with suppress(ValueError):
        assert all(len(one) == KEY_BYTES for one in parse_ring(content).keys)


@pytest.mark.parametrize("size", [0, 16, 24, 31, 33, 64])
def test_a_key_has_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="another length than 32 bytes"):
        KeyRing((key(1), bytes(size)))


def test_a_ring_has_a_key_and_has_it_once() -> None:
    with pytest.raises(ValueError, match="no key"):
        KeyRing(())
    with pytest.raises(ValueError, match="twice"):
        KeyRing((key(1), key(2), key(1)))


def test_no_key_both_seals_and_hides_names() -> None:
    with pytest.raises(ValueError, match="stands in both rings"):
        KeyRings(master=ring(1, 2), names=ring(3, 2))


def test_a_new_key_is_a_line_of_a_ring_and_always_another_one() -> None:
    lines = {new_key() for _ in range(20)}
    assert len(lines) == 20
    assert parse_ring("\n".join(list(lines)[:MOST_KEYS]).encode()).keys[0] in {
        b64decode(line) for line in lines
    }


def test_new_rings_share_nothing_with_each_other_or_with_others() -> None:
    rings = [new_rings() for _ in range(10)]
    assert len({one for pair in rings for one in (*pair.master.keys, *pair.names.keys)}) == 20


def test_a_ring_shows_nothing_of_its_keys() -> None:
    rings = KeyRings(ring(1, 2), ring(3))
    assert repr(rings) == "KeyRings(master=KeyRing(), names=KeyRing())"
    assert str(rings) == f"{rings}" == repr(rings)


def test_no_refusal_shows_a_key_in_its_traceback() -> None:
    wrong = key(1) + b"!"
    written = []
    for content in (b64encode(wrong), _line(1) + b"\n" + _line(1), _line(1) + b"="):
        with pytest.raises(ValueError, match=r".") as refusal:
            parse_ring(content)
        written += traceback.format_exception(refusal.value)
        written += [repr(refusal.value), *map(repr, refusal.value.args)]
    text = "".join(written)
    for secret in (repr(key(1))[2:-1], _line(1)[:12].decode(), key(1).hex()[:12]):
        assert secret not in text
