"""Names of entries: one for each customer of each question of each tenant, and they say nothing."""

import hmac
import re
from base64 import urlsafe_b64encode
from itertools import combinations
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.names import Names, Question, scope
from tests.unit.cache.sealing import key, ring

CUSTOMER = UUID("5f0e7a51-6c6e-4a7b-9a53-5f2c19f1f001")
QUESTIONS: list[Question] = ["billing", "disputes"]
TEXTS = st.text(max_size=12)
PLACES = st.tuples(TEXTS, TEXTS, st.sampled_from(QUESTIONS))


def _hashed(place: bytes) -> bytes:
    digest = hmac.digest(key(1), place + CUSTOMER.bytes, "sha256")
    return b"bss1:" + urlsafe_b64encode(digest).rstrip(b"=")


def test_a_name_is_a_keyed_hash_of_parts_with_their_lengths() -> None:
    """Written down by hand, for other versions of the sidecar look under it too."""
    names = Names(ring(1, 2))
    entry = b"\0\0\0\x05entry\0\0\0\x04acme\0\0\0\x04main\0\0\0\x07billing"
    grave = b"\0\0\0\x09tombstone\0\0\0\x04acme\0\0\0\x04main"
    assert names.of("acme", "main", "billing", CUSTOMER) == _hashed(entry)
    assert names.tombstones("acme", "main", CUSTOMER)[0] == _hashed(grave)


@given(PLACES, st.uuids())
def test_a_name_is_of_one_form_whatever_it_names(
    place: tuple[str, str, Question], customer_id: UUID
) -> None:
    names = Names(ring(1))
    for name in (names.of(*place, customer_id), *names.tombstones(*place[:2], customer_id)):
        assert re.fullmatch(rb"bss1:[A-Za-z0-9_-]{43}", name)


@given(PLACES, st.lists(st.uuids()))
def test_a_name_is_the_same_whoever_else_is_asked_for(
    place: tuple[str, str, Question], ids: list[UUID]
) -> None:
    names = Names(ring(1, 2))
    by_key = names.of_all(*place, ids)
    assert len(by_key) == 2
    assert [*zip(*by_key, strict=True)] == [names.every(*place, one) for one in ids]


@given(st.lists(st.tuples(PLACES, st.uuids()), min_size=2, max_size=30, unique=True))
def test_no_two_questions_ever_share_a_name(
    asked: list[tuple[tuple[str, str, Question], UUID]],
) -> None:
    names = Names(ring(1))
    assert len({names.of(*place, customer) for place, customer in asked}) == len(asked)


@given(PLACES, PLACES)
def test_no_two_places_share_a_scope(
    one: tuple[str, str, Question], other: tuple[str, str, Question]
) -> None:
    assert (scope(*one) == scope(*other)) == (one == other)


def test_parts_that_read_alike_when_they_are_put_together_have_names_of_their_own() -> None:
    names = Names(ring(1))
    alike = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"), ("a\0b", "c"), ("a", "b\0c")]
    alike += [("a\x00\x00\x00\x01b", "c"), ("entry", "abc"), ("tombstone", "abc")]
    found = [names.of(*one, question, CUSTOMER) for one in alike for question in QUESTIONS]
    found += [name for one in alike for name in names.tombstones(*one, CUSTOMER)]
    assert len(set(found)) == len(found)
    for (tenant, connection), (tenant_2, connection_2) in combinations(alike, 2):
        assert scope(tenant, connection, "billing") != scope(tenant_2, connection_2, "billing")


def test_the_same_customer_of_two_tenants_or_connections_has_different_names() -> None:
    names = Names(ring(1))
    found = {
        names.of(tenant, connection, question, CUSTOMER)
        for tenant in ("acme", "globex")
        for connection in ("main", "spare")
        for question in QUESTIONS
    }
    assert len(found) == 8


def test_every_key_of_the_ring_has_its_name_and_the_first_key_writes() -> None:
    names = Names(ring(1, 2, 3))
    every = names.every("acme", "main", "billing", CUSTOMER)
    assert every == tuple(Names(ring(n)).of("acme", "main", "billing", CUSTOMER) for n in (1, 2, 3))
    assert names.of("acme", "main", "billing", CUSTOMER) == every[0]
    assert len(set(every)) == 3


@pytest.mark.parametrize("question", QUESTIONS)
def test_while_the_ring_is_turned_each_sidecar_finds_what_the_other_writes(
    question: Question,
) -> None:
    before, after = Names(ring(1, 2)), Names(ring(2, 1))
    place = ("acme", "main", question)
    assert before.of(*place, CUSTOMER) in after.every(*place, CUSTOMER)
    assert after.of(*place, CUSTOMER) in before.every(*place, CUSTOMER)


def test_a_tombstone_is_the_same_for_all_who_share_a_key_and_no_entry_has_its_name() -> None:
    before, after = Names(ring(1, 2)), Names(ring(2, 1))
    graves = before.tombstones("acme", "main", CUSTOMER)
    assert set(graves) == set(after.tombstones("acme", "main", CUSTOMER))
    assert len(set(graves)) == 2
    entries = {
        name for question in QUESTIONS for name in before.every("acme", "main", question, CUSTOMER)
    }
    assert not entries & set(graves)
    assert not set(graves) & set(before.tombstones("acme", "main", uuid4()))
    assert not set(graves) & set(before.tombstones("globex", "main", CUSTOMER))


def test_names_show_nothing_of_their_keys() -> None:
    shown = repr(Names(ring(1)))
    assert repr(key(1))[2:-1] not in shown
    assert key(1).hex() not in shown
