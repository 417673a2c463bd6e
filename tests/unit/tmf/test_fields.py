from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given

from adapters.tmf.fields import entries, folded, identifier, instant, one, reference_id, text
from tests.unit.tmf.garbage import garbage


def test_one_object_stands_for_a_list_of_it_and_a_list_of_one_for_the_object() -> None:
    assert entries({"id": "1"}) == ({"id": "1"},)
    assert one([{"id": "1"}]) == {"id": "1"}


@pytest.mark.parametrize("absent", [None, "", [], {}])
def test_what_is_absent_is_an_empty_list(absent: object) -> None:
    assert entries(absent) == ()


@pytest.mark.parametrize("neither", ["text", Decimal(1), True])
def test_what_is_neither_list_nor_object_is_told_apart_from_what_is_absent(neither: object) -> None:
    assert entries(neither) is None
    assert one(neither) is None
    assert one([{}, {}]) is None


def test_text_is_trimmed_and_blank_text_is_none() -> None:
    assert text("  Fibre ") == "Fibre"
    assert text("  ") is None
    assert folded(" ABORTED ") == "aborted"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" 0042 ", "0042"),
        (Decimal(12345678), "12345678"),
        (Decimal("1E+3"), "1000"),
        (7, "7"),
        (Decimal("1.5"), None),
        (Decimal("1E+999999"), None),
        (True, None),
        (None, None),
        ({}, None),
    ],
)
def test_an_id_is_text_or_a_whole_number(value: object, expected: str | None) -> None:
    assert identifier(value) == expected


@pytest.mark.parametrize("reference", [{"id": "A"}, [{"id": "A"}], "A", {"id": " A "}])
def test_a_reference_is_an_object_with_an_id_or_the_bare_id(reference: object) -> None:
    assert reference_id(reference) == "A"


@pytest.mark.parametrize(
    "written",
    [
        "2020-01-19T13:38:18Z",
        "2020-01-19T13:38:18.000+0000",
        "2020-01-19T14:38:18+01:00",
        " 2020-01-19T13:38:18 ",
    ],
)
def test_a_moment_is_read_in_its_zone_and_without_one_as_utc(written: str) -> None:
    assert instant(written) == datetime(2020, 1, 19, 13, 38, 18, tzinfo=UTC)


@given(garbage())
def test_no_reader_raises_whatever_it_is_given(value: object) -> None:
    for read in (entries, one, text, folded, identifier, reference_id, instant):
        read(value)
