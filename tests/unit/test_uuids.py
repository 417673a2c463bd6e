"""Ids are made in a quicker way than their class has, and are the same."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.uuids import uuid_of, uuid_of_bytes, uuids_of_bytes


@given(st.uuids(), st.booleans())
def test_a_uuid_made_quickly_is_the_one_that_its_class_makes(one: UUID, upper: bool) -> None:  # noqa: FBT001  (hypothesis gives it)
    text = str(one).upper() if upper else str(one)
    for made in (uuid_of(text), uuid_of_bytes(one.bytes), *uuids_of_bytes(one.bytes * 2)):
        assert made == one
        assert hash(made) == hash(one)
        assert str(made) == str(one)
        assert made.is_safe is one.is_safe
        assert repr(made) == repr(one)


@given(st.lists(st.uuids()))
def test_many_made_together_are_those_that_were_written(ids: list[UUID]) -> None:
    assert uuids_of_bytes(b"".join(one.bytes for one in ids)) == ids


@pytest.mark.parametrize("octets", [b"", bytes(15), bytes(17)])
def test_other_than_sixteen_bytes_are_no_uuid(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        uuid_of_bytes(octets)


@pytest.mark.parametrize("octets", [bytes(15), bytes(17), bytes(47)])
def test_other_than_sixteen_bytes_each_are_no_uuids(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        uuids_of_bytes(octets)
