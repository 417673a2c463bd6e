"""Whoever can write to the store, and has no key, achieves nothing but a miss."""

import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.names import Names, Question, scope
from proxy.cache.seal import Opened, Refused, Sealer
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
from tests.unit.cache.test_names import CUSTOMER

SEALER = Sealer(ring(1, 2))
SEALED = seal(SEALER)
PARTS = {
    "version": slice(0, 1),
    "key id": slice(1, 5),
    "salt": slice(5, 21),
    "nonce": slice(21, 33),
    "closed": slice(33, -16),
    "tag": slice(-16, None),
}


def _flipped(sealed: bytes, bit: int) -> bytes:
    changed = bytearray(sealed)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_no_bit_can_be_flipped() -> None:
    """Every one of them is tried, and the part it is in decides what is said of it."""
    said = [{opened(SEALER, _flipped(SEALED, at * 8 + n)) for n in range(8)} for at in range(177)]
    assert said[0] == {Refused.MALFORMED}
    assert said[1:5] == [{Refused.UNKNOWN_KEY}] * 4
    assert said[5:] == [{Refused.FORGED}] * (len(SEALED) - 5)
    assert len(SEALED) == len(said)


@given(st.sets(st.integers(0, 8 * 177 - 1), min_size=1, max_size=40))
def test_no_bits_can_be_flipped_together(bits: set[int]) -> None:
    changed = SEALED
    for bit in bits:
        changed = _flipped(changed, bit)
    assert isinstance(opened(SEALER, changed), Refused)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("other", ["same process", "other process", "other key"])
def test_no_part_can_be_taken_from_another_entry(part: str, other: str) -> None:
    source = {
        "same process": lambda: SEALER,
        "other process": lambda: Sealer(ring(1, 2)),
        "other key": lambda: Sealer(ring(2, 1)),
    }[other]()
    donor = seal(source, b"other")
    where = PARTS[part]
    changed = bytearray(SEALED)
    changed[where] = donor[where]
    expected = bytes(changed) in (SEALED, donor)
    assert isinstance(opened(SEALER, bytes(changed)), Opened) == expected
    assert expected == (SEALED[where] == donor[where])


def test_no_two_of_its_parts_can_change_places() -> None:
    for first in range(0, 177 - 12, 4):
        changed = bytearray(SEALED)
        changed[first : first + 12] = SEALED[21:33]
        changed[21:33] = SEALED[first : first + 12]
        if bytes(changed) != SEALED:
            assert isinstance(opened(SEALER, bytes(changed)), Refused)


def test_nothing_can_be_cut_off_or_added() -> None:
    for size in range(len(SEALED)):
        assert isinstance(opened(SEALER, SEALED[:size]), Refused)
        assert isinstance(opened(SEALER, SEALED[size + 1 :]), Refused)
    for more in (b"\0", b"\0" * 128, SEALED):
        assert opened(SEALER, SEALED + more) is Refused.FORGED
        assert isinstance(opened(SEALER, more + SEALED), Refused)


@pytest.mark.parametrize(
    "foreign",
    [
        b"",
        b"\0",
        b"\x01",
        b"nil",
        b"-ERR unknown command",
        b'{"monthly_fee": 1}' * 20,
        b"\x01" + bytes(176),
        b"\x01" * 177,
        b"\xff" * 177,
        b"\x80\x04\x95" + bytes(300),
    ],
)
def test_foreign_bytes_do_not_open(foreign: bytes) -> None:
    assert opened(SEALER, foreign) in {Refused.MALFORMED, Refused.UNKNOWN_KEY}


def test_what_is_larger_than_any_entry_is_not_even_tried() -> None:
    """Megabytes under an honest header would cost milliseconds."""
    assert opened(SEALER, SEALED + bytes(10_000_000)) is Refused.MALFORMED


@given(st.binary(max_size=400) | st.binary(max_size=400).map(lambda rest: SEALED[:5] + rest))
def test_no_bytes_whatever_open(foreign: bytes) -> None:
    assert isinstance(opened(SEALER, foreign), Refused)


@pytest.mark.parametrize("version", [0, 2, 0x11, 0x81, 0xFF])
def test_another_version_does_not_open_also_if_a_key_sealed_it(version: int) -> None:
    sealed = ByHand(master=key(1), version=bytes([version])).seal(b"plain")
    assert opened(SEALER, sealed) is Refused.MALFORMED


def test_the_version_is_part_of_what_is_sealed() -> None:
    """An entry of a version to come, relabelled as one of this version."""
    sealed = ByHand(master=key(1), version=b"\x02").seal(b"plain")
    assert opened(SEALER, b"\x01" + sealed[1:]) is Refused.FORGED
    assert isinstance(opened(SEALER, ByHand(master=key(1)).seal(b"plain")), Opened)


@given(st.binary(max_size=80) | st.just(NAME), st.binary(max_size=80) | st.just(SCOPE))
def test_an_entry_opens_under_no_other_name_and_in_no_other_scope(
    name: bytes, scope_: bytes
) -> None:
    same = (name, scope_) == (NAME, SCOPE)
    expected = Opened(b"plain", NOW_MS, NOW_MS + LIFE_MS) if same else Refused.FORGED
    assert opened(SEALER, SEALED, name=name, scope=scope_) == expected


def test_name_and_scope_cannot_be_cut_elsewhere() -> None:
    whole = NAME + SCOPE
    for at in range(len(whole) + 1):
        found = opened(SEALER, SEALED, name=whole[:at], scope=whole[at:])
        assert isinstance(found, Opened) == (at == len(NAME))


def test_an_entry_opens_for_its_tenant_connection_question_and_customer_alone() -> None:
    """Also under the same name, should names ever be confused: the scope is sealed in as well."""
    names = Names(ring(3))
    questions: tuple[Question, ...] = ("billing", "disputes")
    places = list(product(("acme", "globex"), ("main", "spare"), questions))
    for mine, other in product(places, places):
        name = names.of(*mine, CUSTOMER)
        sealed = SEALER.seal(
            b"mine", name=name, scope=scope(*mine), issued_at_ms=NOW_MS, expires_at_ms=NOW_MS + 1
        )
        moved = opened(SEALER, sealed, name=names.of(*other, CUSTOMER), scope=scope(*other))
        confused = opened(SEALER, sealed, name=name, scope=scope(*other))
        assert isinstance(moved, Opened) == isinstance(confused, Opened) == (mine == other)


def test_what_has_expired_cannot_be_put_back() -> None:
    later = NOW_MS + LIFE_MS
    assert isinstance(opened(SEALER, SEALED, now_ms=later - 1), Opened)
    for sealer in (SEALER, Sealer(ring(1, 2))):
        assert opened(sealer, SEALED, now_ms=later) is Refused.EXPIRED


def test_its_times_cannot_be_changed() -> None:
    """They are inside: whoever knows them to the bit still flips the seal with them."""
    for at in range(HEADER_BYTES, HEADER_BYTES + 16):
        assert opened(SEALER, _flipped(SEALED, at * 8), now_ms=NOW_MS + LIFE_MS) is Refused.FORGED


def test_salts_at_random_fill_no_memory_and_push_out_nobody() -> None:
    sealer, dice = Sealer(ring(1, 2)), random.Random(1)
    honest = [seal(Sealer(ring(1, 2))) for _ in range(20)]
    assert all(isinstance(opened(sealer, one), Opened) for one in honest)
    before = dict(sealer._subkeys)
    for _ in range(3_000):
        forged = SEALED[:5] + dice.randbytes(16) + SEALED[21:]
        assert opened(sealer, forged) is Refused.FORGED
    assert sealer._subkeys == before
    assert len(before) == 20


def test_a_forged_entry_with_an_honest_salt_pushes_out_nobody() -> None:
    sealer, honest = Sealer(ring(1, 2)), seal(Sealer(ring(1, 2)))
    opened(sealer, honest)
    before = dict(sealer._subkeys)
    assert opened(sealer, _flipped(honest, 8 * 100)) is Refused.FORGED
    assert sealer._subkeys == before
    assert isinstance(opened(sealer, honest), Opened)


def test_entries_of_unknown_keys_leave_nothing_behind() -> None:
    sealer = Sealer(ring(1, 2))
    assert opened(sealer, seal(Sealer(ring(9)))) is Refused.UNKNOWN_KEY
    assert not sealer._subkeys
