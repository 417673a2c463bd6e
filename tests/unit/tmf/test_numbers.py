from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.tmf.numbers import LARGEST, amount


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("29.99"), "29.99"),
        (Decimal("0.00"), "0.00"),
        (Decimal(-5), "-5"),
        (12, "12"),
        ("29.99", "29.99"),
        (" 1e2 ", "100"),
        (".5", "0.5"),
        ("+7.", "7"),
        (LARGEST, "1000000000000"),
    ],
)
def test_a_number_is_read_from_a_decimal_an_int_or_a_string(value: object, expected: str) -> None:
    assert amount(value) == Decimal(expected)


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            "",
            " ",
            "twenty",
            "1,000.00",
            "10,00",
            "1_000",
            "0x1F",
            "£5",
            "٣",
            "NaN",
            "Infinity",
        ),
        *(True, False, [], {}, [Decimal(1)], object(), 19.99),
        *(Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("-Infinity")),
        *(Decimal("1E+999999"), Decimal("0E+999999"), Decimal("1E-999999"), "1E+999999", "1e13"),
        *(LARGEST + 1, 10**13, -(10**13), 10**4000, Decimal("0." + "1" * 31), "1" * 5000),
    ],
)
def test_what_is_no_bounded_number_is_none(value: object) -> None:
    assert amount(value) is None


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=6))
def test_a_number_in_its_three_spellings_is_one_number(number: Decimal) -> None:
    assert amount(number) == amount(str(number)) == amount(f" {number:f} ") == number


@given(st.one_of(st.decimals(), st.integers(), st.text(), st.booleans(), st.floats(), st.none()))
def test_whatever_is_read_is_finite_and_within_bounds(value: object) -> None:
    number = amount(value)
    assert number is None or (number.is_finite() and abs(number) <= LARGEST)
