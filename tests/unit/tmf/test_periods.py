from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.tmf.periods import charge_period, in_force, months
from tests.unit.tmf.garbage import garbage
from tests.unit.tmf.rows import NOW

WEEK = Fraction(7 * 12, 365)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        *(
            (word, 1)
            for word in ("month", "monthly", "MONTHLY", " Month ", "1 month", "P1M", "p1m")
        ),
        *((word, 1) for word in ("per month", "/month", "every month", "a month", "one month")),
        *((word, 1) for word in ("calendar month", "each calendar month", "1-month", "1.0 month")),
        *(
            (word, 3)
            for word in ("quarter", "quarterly", "3 months", "P3M", "3-monthly", "3months")
        ),
        *((word, 6) for word in ("half-yearly", "half year", "semi-annual", "6 months", "P6M")),
        *(
            (word, 12)
            for word in ("year", "annual", "annually", "yearly", "per annum", "P1Y", "YEAR ")
        ),
        *((word, 12) for word in ("12 months", "P12M", "4 quarters")),
        *((word, 18) for word in ("P1Y6M", "1.5 years", "18 months")),
        *((word, WEEK) for word in ("week", "weekly", "1 week", "7 days", "P7D", "P1W", "WEEK")),
        *(
            (word, 2 * WEEK)
            for word in ("fortnight", "fortnightly", "2 weeks", "two weeks", "P14D")
        ),
        *(
            (word, 4 * WEEK)
            for word in ("4 weeks", "28 days", "28 Days", "P4W", "four weeks", "4-weekly")
        ),
        *((word, WEEK / 7) for word in ("day", "daily", "1 day", "P1D")),
    ],
)
def test_a_period_is_told_in_months_whatever_its_spelling(
    period: str, expected: Fraction | int
) -> None:
    assert months(period) == expected


@pytest.mark.parametrize(
    "period",
    [
        *(
            None,
            "",
            "  ",
            "bi-monthly",
            "bimonthly",
            "biweekly",
            "biannual",
            "semi-monthly",
            "m",
            "1M",
        ),
        *("P", "PT1H", "P0M", "P1.5M", "0 months", "-1 month", "month 3", "monthly in advance"),
        *("hour", "minute", "one time", "once", "0", "1", "month/year", "P1M1Z", "99999 months"),
        *("2000 years", Decimal(1), True, [], ["month"], {}, {"amount": Decimal(1)}),
    ],
)
def test_a_period_that_is_not_known_is_never_guessed(period: object) -> None:
    assert months(period) is None


def test_an_object_with_an_amount_and_units_is_a_period() -> None:
    assert months({"amount": Decimal(3), "units": "month"}) == 3
    assert months({"units": "year"}) == 12


@pytest.mark.parametrize(
    ("period", "length", "expected"),
    [
        ("month", Decimal(3), 3),
        ("monthly", "3", 3),
        ("P1M", 2, 2),
        ("3 months", Decimal(1), 3),
        ("3 months", Decimal(3), None),
        ("month", Decimal(0), None),
        ("month", Decimal("NaN"), None),
        ("month", "many", None),
        ("month", None, 1),
        ({"amount": Decimal(3), "units": "month"}, Decimal(2), None),
    ],
)
def test_a_length_counts_periods_that_do_not_count_themselves(
    period: object, length: object, expected: int | None
) -> None:
    assert months(period, length) == expected


def test_the_catalogs_period_stands_in_and_two_periods_must_agree() -> None:
    type_and_length = {"recurringChargePeriodType": "monthly", "recurringChargePeriodLength": 3}
    assert charge_period(type_and_length) == 3
    assert (
        charge_period({"recurringChargePeriod": "month", "recurringChargePeriodType": "P1M"}) == 1
    )
    assert (
        charge_period({"recurringChargePeriod": "month", "recurringChargePeriodType": "year"})
        is None
    )
    assert (
        charge_period({"recurringChargePeriod": "moon", "recurringChargePeriodType": "year"})
        is None
    )
    assert charge_period({}) is None


@given(st.integers(1, 90), st.sampled_from(["days", "DAYS", " days "]))
def test_days_become_months_by_the_year(days: int, word: str) -> None:
    """What costs `x` a period costs x × 365 ÷ days ÷ 12 a month."""
    period = months(f"{days} {word}")
    assert period is not None
    assert Fraction(1) / period == Fraction(365, days * 12)


@given(garbage(), garbage())
def test_a_period_is_positive_or_unknown(period: object, length: object) -> None:
    found = months(period, length)
    assert found is None or found > 0


def moment(**since: int) -> str:
    return (NOW + timedelta(**since)).isoformat()


@pytest.mark.parametrize(
    ("valid_for", "expected"),
    [
        (None, True),
        ({}, True),
        ({"startDateTime": moment(days=-1)}, True),
        ({"startDateTime": moment(), "endDateTime": moment(seconds=1)}, True),
        ([{"endDateTime": moment(days=1)}], True),
        ({"startDateTime": moment(seconds=1)}, False),
        ({"endDateTime": moment()}, False),
        ({"startDateTime": "whenever", "endDateTime": moment(days=-1)}, False),
        ({"startDateTime": "whenever"}, None),
        ({"endDateTime": Decimal(5)}, None),
        ("2026", None),
    ],
)
def test_a_stretch_holds_from_its_start_until_just_before_its_end(
    valid_for: object,
    expected: object,
) -> None:
    assert in_force(valid_for, NOW) is expected
