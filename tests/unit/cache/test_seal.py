"""What is sealed opens, for who has the key, under its name, in its time."""

import copy
import pickle
from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.keys import KeyRing
from proxy.cache.seal import (
    CLOCK_TOLERANCE_MS,
    LARGEST_PLAIN_BYTES,
    LONGEST_MS,
    REMEMBERED_SUBKEYS,
    Opened,
    Refused,
    Sealer,
)
from tests.unit.cache.sealing import (
    HEADER_BYTES,
    LIFE_MS,
    NAME,
    NOW_MS,
    SCOPE,
    ByHand,
    key,
    opened,
    ring,
    seal,
)

_COLLIDING = (sha256((96035).to_bytes(4)).digest(), sha256((144216).to_bytes(4)).digest())
"""Found by trial: both have the id 5e296bb4."""


@given(
    st.binary(max_size=600),
    st.binary(max_size=60),
    st.binary(max_size=60),
    st.integers(0, 2**45),
    st.integers(1, LONGEST_MS),
)
def test_what_is_sealed_opens_as_it_was(
    plain: bytes, name: bytes, scope: bytes, issued: int, life: int
) -> None:
    sealer = Sealer(ring())
    sealed = sealer.seal(
        plain, name=name, scope=scope, issued_at_ms=issued, expires_at_ms=issued + life
    )
    found = Sealer(ring()).open(sealed, name=name, scope=scope, now_ms=issued)
    assert found == Opened(plain, issued, issued + life)


def test_the_bytes_are_those_of_the_description() -> None:
    """Other versions of the sidecar read them, so what is written is pinned bit by bit."""
    by_hand = ByHand(master=key(1))
    sealer = Sealer(ring(1, 2), random=lambda size: bytes(range(size)))
    assert seal(sealer) == by_hand.seal(b"plain")
    second = ByHand(master=key(1), nonce=(1).to_bytes(12))
    assert seal(sealer, b"other") == second.seal(b"other")
    issued, expires, rest = by_hand.open(seal(Sealer(ring(1)), b"its own salt"))
    assert (issued, expires) == (NOW_MS, NOW_MS + LIFE_MS)
    assert rest.rstrip(b"\0") == b"\0\0\0\x0cits own salt"


@pytest.mark.parametrize(
    ("now_ms", "found"),
    [
        (NOW_MS, "plain"),
        (NOW_MS + LIFE_MS - 1, "plain"),
        (NOW_MS + LIFE_MS, Refused.EXPIRED),
        (NOW_MS + 10**9, Refused.EXPIRED),
        (NOW_MS - CLOCK_TOLERANCE_MS, "plain"),
        (NOW_MS - CLOCK_TOLERANCE_MS - 1, Refused.FROM_THE_FUTURE),
        (0, Refused.FROM_THE_FUTURE),
    ],
)
def test_an_entry_opens_in_its_time_and_never_after(now_ms: int, found: str) -> None:
    sealer = Sealer(ring())
    result = opened(sealer, seal(sealer), now_ms=now_ms)
    assert (result.plain.decode() if isinstance(result, Opened) else result) == found


def test_nobody_keeps_anything_for_longer_than_300_s_not_even_with_a_key() -> None:
    sealed = ByHand(master=key(1)).seal(b"for ever", expires_at_ms=2**63)
    sealer = Sealer(ring())
    assert isinstance(opened(sealer, sealed, now_ms=NOW_MS + 299_999), Opened)
    assert opened(sealer, sealed, now_ms=NOW_MS + 300_000) is Refused.EXPIRED


@pytest.mark.parametrize(
    ("issued", "expires"), [(5, 5), (5, 4), (-1, 5), (0, LONGEST_MS + 1), (NOW_MS, NOW_MS * 2)]
)
def test_a_life_that_is_none_or_too_long_is_not_sealed(issued: int, expires: int) -> None:
    with pytest.raises(ValueError, match="300 s"):
        Sealer(ring()).seal(
            b"plain", name=NAME, scope=SCOPE, issued_at_ms=issued, expires_at_ms=expires
        )


def test_the_largest_entry_opens_and_a_larger_one_is_not_sealed() -> None:
    sealer = Sealer(ring())
    assert isinstance(opened(sealer, seal(sealer, bytes(LARGEST_PLAIN_BYTES))), Opened)
    with pytest.raises(ValueError, match="too large"):
        seal(sealer, bytes(LARGEST_PLAIN_BYTES + 1))


@given(st.binary(max_size=108), st.binary(max_size=108))
def test_a_length_tells_nothing_of_what_is_usual(one: bytes, other: bytes) -> None:
    sealer = Sealer(ring())
    assert len(seal(sealer, one)) == len(seal(sealer, other)) == 177


def test_all_keys_of_a_ring_open_and_the_first_one_seals() -> None:
    old, turning, new = Sealer(ring(1)), Sealer(ring(2, 1)), Sealer(ring(2))
    by_old, by_turning = seal(old), seal(turning)
    assert isinstance(opened(turning, by_old), Opened)
    assert isinstance(opened(new, by_turning), Opened)
    assert opened(old, by_turning) is Refused.UNKNOWN_KEY
    assert opened(new, by_old) is Refused.UNKNOWN_KEY


@given(st.permutations(range(4)), st.permutations(range(4)))
def test_whatever_stands_first_a_ring_with_the_key_opens(one: list[int], other: list[int]) -> None:
    assert isinstance(opened(Sealer(ring(*other)), seal(Sealer(ring(*one)))), Opened)


def test_a_new_ring_of_the_same_keys_has_a_subkey_of_its_own() -> None:
    assert seal(Sealer(ring()))[:HEADER_BYTES] != seal(Sealer(ring()))[:HEADER_BYTES]


def test_two_keys_of_one_id_both_open() -> None:
    """Ids have 4 bytes. An id that two keys share costs a second try and loses nothing."""
    assert ByHand(master=_COLLIDING[0]).header == ByHand(master=_COLLIDING[1]).header
    for first, second in (_COLLIDING, _COLLIDING[::-1]):
        both = Sealer(KeyRing((first, second)))
        assert isinstance(opened(both, seal(Sealer(KeyRing((second,))))), Opened)
        assert isinstance(opened(both, seal(Sealer(KeyRing((first,))))), Opened)


def test_a_sealer_remembers_the_subkeys_of_a_fleet_up_to_a_bound() -> None:
    fleet = [seal(Sealer(ring())) for _ in range(REMEMBERED_SUBKEYS + 200)]
    sealer = Sealer(ring())
    for _ in range(2):
        assert all(isinstance(opened(sealer, one), Opened) for one in fleet)
        assert len(sealer._subkeys) == REMEMBERED_SUBKEYS


def test_what_was_needed_long_ago_is_forgotten_first() -> None:
    sealer, hot = Sealer(ring()), seal(Sealer(ring()))
    for _ in range(3):
        opened(sealer, hot)
        for _ in range(REMEMBERED_SUBKEYS - 1):
            opened(sealer, seal(Sealer(ring())))
        assert hot[:21] in sealer._subkeys


class _Counted:
    """A subkey that counts how often it is used."""

    def __init__(self, aead: AESGCM) -> None:
        self._aead = aead
        self.used = 0

    def decrypt(self, nonce: bytes, closed: bytes, bound: bytes) -> bytes:
        self.used += 1
        return self._aead.decrypt(nonce, closed, bound)


def test_what_is_remembered_is_used() -> None:
    sealer, other = Sealer(ring()), Sealer(ring())
    opened(sealer, seal(other))
    ((head, aead),) = sealer._subkeys.items()
    counted = _Counted(aead)
    sealer._subkeys[head] = counted  # type: ignore[assignment]  # it stands in for one
    assert all(isinstance(opened(sealer, seal(other)), Opened) for _ in range(3))
    assert counted.used == 3


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_sealer_is_not_copied(copied: Callable[[Sealer], object]) -> None:
    """Two would count the same nonces under the same subkey."""
    sealer = Sealer(ring())
    seal(sealer)
    with pytest.raises(TypeError, match="not copied"):
        copied(sealer)


def test_many_open_as_each_does_by_itself() -> None:
    """Those that are known, wherever they come from; the others are left to `inside`."""
    known, stranger, moved = Sealer(ring(1)), Sealer(ring(1)), Sealer(ring(2))
    sealer = Sealer(ring(1))
    names = [b"bss1:name-%d" % n for n in range(6)]
    sealed = [seal(known, b"%d" % n, name=name) for n, name in enumerate(names)]
    assert sealer.insides(sealed, names, SCOPE) == [None] * 6  # nobody has been seen yet
    insides = [sealer.inside(one, name, SCOPE) for one, name in zip(sealed, names, strict=True)]
    assert sealer.insides(sealed, names, SCOPE) == insides
    spoilt = [
        sealed[0],
        None,
        seal(stranger, name=names[2]),
        seal(moved, name=names[3]),
        sealed[0],
        sealed[5][: HEADER_BYTES - 10],
    ]
    assert sealer.insides(spoilt, names, SCOPE) == [insides[0], *[None] * 5]
    assert sealer.insides([], [], SCOPE) == []


def test_who_is_opened_among_many_is_remembered_as_the_last_one_needed() -> None:
    sealer, first = Sealer(ring(1)), Sealer(ring(1))
    sealed = seal(first)
    for other in range(REMEMBERED_SUBKEYS - 1):
        if other == 0:
            assert isinstance(sealer.inside(sealed, NAME, SCOPE), bytes)
        assert isinstance(sealer.inside(seal(Sealer(ring(1))), NAME, SCOPE), bytes)
    assert sealer.insides([sealed], [NAME], SCOPE) != [None]
    assert isinstance(sealer.inside(seal(Sealer(ring(1))), NAME, SCOPE), bytes)
    assert sealer.insides([sealed], [NAME], SCOPE) != [None]
