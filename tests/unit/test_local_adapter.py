"""The rules that turn rows of Pedkai's database into lookups."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from adapters.identity import SameId, as_uuid
from adapters.local_adapter import (
    CLOCK_TOLERANCE,
    DISPUTE_WINDOW,
    HIGHEST_FEE,
    AccountRow,
    LocalBSSAdapter,
    billing,
    decidable_fee,
    dispute,
    naive_utc,
)
from adapters.outcome import Dispute, Found, Reason, Unavailable
from adapters.pedkai_schema import accounts, asked, is_asked, plans
from adapters.ports import Ports

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAIVE_NOW = NOW.replace(tzinfo=None)

pennies = st.integers(0, 10**8).map(lambda amount: amount / 100)
odd_fees = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=5),
    st.floats(max_value=-0.001),
    st.just(float("nan")),
    st.just(float("inf")),
    st.floats(min_value=1.01e12),
)


def row(fee: object, name: str | None = "plan") -> AccountRow:
    return AccountRow("customer", uuid4(), uuid4(), name, fee)


@given(st.lists(pennies, min_size=1, max_size=8))
def test_a_fee_is_the_exact_sum_of_the_numbers_as_they_were_written(fees: list[float]) -> None:
    expected = sum((Decimal(f"{fee:.2f}") for fee in fees), Decimal(0))
    assert billing([row(fee) for fee in fees], "GBP").monthly_fee == expected


@given(st.lists(pennies, max_size=5), odd_fees, st.randoms())
def test_one_undecidable_fee_leaves_the_customer_without_a_fee(
    fees: list[float], odd: object, order: Any
) -> None:
    rows = [row(fee) for fee in fees] + [row(odd)]
    order.shuffle(rows)
    found = billing(rows, "GBP")
    assert found.monthly_fee is None
    assert found.currency == "GBP"


@given(st.lists(st.one_of(pennies, odd_fees), min_size=1, max_size=6), st.randoms())
def test_the_order_of_the_rows_changes_nothing(fees: list[object], order: Any) -> None:
    rows = [row(fee, name=f"plan {number}") for number, fee in enumerate(fees)]
    shuffled = rows.copy()
    order.shuffle(shuffled)
    assert billing(shuffled, "GBP") == billing(rows, "GBP")


@given(st.lists(pennies, min_size=1, max_size=6, unique=True))
def test_account_and_plan_are_those_of_the_largest_fee(fees: list[float]) -> None:
    rows = [row(fee, name=f"plan at {fee}") for fee in fees]
    found = billing(rows, "GBP")
    assert found.plan_name == f"plan at {max(fees)}"
    assert found.account_id == next(one.account_id for one in rows if one.monthly_fee == max(fees))


def test_a_free_plan_is_a_price() -> None:
    assert billing([row(0.0)], "GBP").monthly_fee == Decimal("0.00")
    assert billing([row(-0.0)], "GBP").monthly_fee == Decimal("0.00")


def test_an_account_without_a_plan_adds_nothing_to_one_with_a_plan() -> None:
    unplanned = AccountRow("customer", uuid4())
    assert billing([unplanned, row(12.5)], "GBP").monthly_fee == Decimal("12.50")


def test_a_plan_that_is_named_and_not_there_leaves_the_customer_unpriced() -> None:
    dangling = AccountRow("customer", uuid4(), uuid4())
    assert billing([dangling, row(12.5)], "GBP").monthly_fee is None


def test_a_fee_is_rounded_once_and_half_even() -> None:
    assert billing([row(0.125)], "GBP").monthly_fee == Decimal("0.12")
    assert billing([row(0.062), row(0.063)], "GBP").monthly_fee == Decimal("0.12")
    assert billing([row(1234.5)], "JPY").monthly_fee == Decimal(1234)


def test_whole_numbers_and_decimals_are_fees_too() -> None:
    assert decidable_fee(30) == Decimal(30)
    assert decidable_fee(Decimal("29.99")) == Decimal("29.99")
    assert decidable_fee(float(HIGHEST_FEE)) == HIGHEST_FEE


def test_nothing_of_a_billing_is_in_its_repr() -> None:
    assert "77.13" not in repr(billing([row(77.13)], "GBP"))


@given(age=st.timedeltas(-CLOCK_TOLERANCE, DISPUTE_WINDOW), as_text=st.booleans())
def test_a_dispute_within_the_window_is_active(age: timedelta, *, as_text: bool) -> None:
    stamp = NAIVE_NOW - age
    shown = stamp.isoformat(" ") if as_text else stamp
    assert dispute([None, shown, "garbage"], NOW) == Found(Dispute(active=True))


@given(st.timedeltas(DISPUTE_WINDOW + timedelta(microseconds=1), timedelta(days=300_000)))
def test_a_dispute_before_the_window_is_not_active(age: timedelta) -> None:
    assert dispute([NAIVE_NOW - age], NOW) == Found(Dispute(active=False))


@pytest.mark.parametrize(
    "stamp",
    [
        "garbage",
        "",
        12345,
        b"2026-03-01",
        datetime.max,  # noqa: DTZ901  (PostgreSQL's infinity)
        NAIVE_NOW + CLOCK_TOLERANCE + timedelta(seconds=1),
        "0001-01-01T00:00:00+05:00",
    ],
)
def test_what_can_be_no_date_of_a_dispute_decides_nothing(stamp: object) -> None:
    assert dispute([stamp], NOW) == Unavailable(Reason.BAD_RESPONSE)
    old = NAIVE_NOW - timedelta(days=99)
    assert dispute([old, stamp], NOW) == Unavailable(Reason.BAD_RESPONSE)


def test_no_dispute_at_all_is_none_active() -> None:
    assert dispute([], NOW) == Found(Dispute(active=False))
    assert dispute([None, None], NOW) == Found(Dispute(active=False))
    assert dispute([datetime.min], NOW) == Found(Dispute(active=False))  # noqa: DTZ901


@given(st.integers(-14, 14))
def test_the_zone_of_the_question_does_not_move_the_window(hours: int) -> None:
    there = NOW.astimezone(timezone(timedelta(hours=hours)))
    edge = NAIVE_NOW - DISPUTE_WINDOW
    assert dispute([edge], there) == Found(Dispute(active=True))
    assert dispute([edge - timedelta(seconds=1)], there) == Found(Dispute(active=False))


def test_a_timestamp_with_a_zone_is_brought_to_utc() -> None:
    assert naive_utc("2026-03-01T14:00:00+02:00") == NAIVE_NOW
    assert naive_utc(NOW) == NAIVE_NOW


@given(st.uuids())
def test_a_uuid_is_read_in_either_way_of_writing(one: UUID) -> None:
    assert as_uuid(str(one)) == as_uuid(one.hex) == as_uuid(one) == one


@pytest.mark.parametrize("value", [None, 7, "", "x" * 32, b"0" * 16])
def test_what_is_no_uuid_reads_as_none(value: object) -> None:
    assert as_uuid(value) is None


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_the_ids_are_one_parameter_however_many_they_are(dialect: str) -> None:
    few, many = ([uuid4() for _ in range(size)] for size in (1, 5_000))
    assert asked(few, "acme", dialect).keys() == asked(many, "acme", dialect).keys()


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()])
def test_rows_are_always_asked_for_by_tenant(dialect: Any) -> None:
    sql = str(is_asked(dialect.name).compile(dialect=dialect))
    assert sql.startswith("customers.tenant_id =")


def test_an_average_is_not_even_among_the_columns() -> None:
    assert "avg_monthly_revenue" not in {*accounts.c.keys(), *plans.c.keys()}


def test_without_a_database_there_is_no_local_adapter() -> None:
    with pytest.raises(ValueError, match="needs a database"):
        LocalBSSAdapter(Ports(tenant="acme", connection="db", identity=SameId()))
