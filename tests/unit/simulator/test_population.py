from datetime import UTC, datetime
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.simulator.mock import mock_billing, mock_disputed
from adapters.simulator.population import (
    CUSTOMERS,
    SHAPES,
    Charge,
    charges,
    customer_id,
    identity_rows,
    ticket_plan,
    truth,
    vendor_id,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TENANTS = ("amdocs_demo", "cerillion_demo", "csg_demo", "local_demo", "mock_demo")
numbers = st.integers(0, CUSTOMERS - 1)
tenants = st.sampled_from(TENANTS)


@given(tenants, numbers)
def test_a_customers_id_is_the_uuid5_of_tenant_and_number(tenant: str, n: int) -> None:
    assert customer_id(tenant, n) == uuid5(NAMESPACE_URL, f"{tenant}/{n}")


@given(tenants, numbers)
def test_only_those_who_are_known_and_have_a_price_have_a_fee(tenant: str, n: int) -> None:
    fact = truth(tenant, n, NOW)
    assert fact.known == (n % 10 != 9)
    assert (fact.monthly_fee is not None) == (n % 10 not in (8, 9))


@given(tenants, numbers)
def test_a_fee_is_in_pennies_and_never_below_zero(tenant: str, n: int) -> None:
    fee = truth(tenant, n, NOW).monthly_fee
    if fee is not None:
        assert fee >= 0
        assert fee == fee.quantize(Decimal("0.01"))


@given(tenants, numbers)
def test_products_and_periods_are_as_the_number_says(tenant: str, n: int) -> None:
    paid = charges(tenant, n)
    expected = {6: 2, 8: 0, 9: 0}.get(n % 10, 1)
    assert len(paid) == expected
    assert all((charge.months == 12) == (n % 10 == 7) for charge in paid)


def test_some_twelfths_must_be_rounded_and_some_are_exactly_halfway() -> None:
    twelfths = [charges("csg_demo", n)[0].monthly() for n in range(7, CUSTOMERS, 10)]
    tenths_of_a_penny = [twelfth * 1000 % 10 for twelfth in twelfths]
    assert any(rest == 5 for rest in tenths_of_a_penny)
    assert any(rest not in (0, 5) for rest in tenths_of_a_penny)
    assert 0 in tenths_of_a_penny


@pytest.mark.parametrize(
    ("charge", "monthly"),
    [
        (Charge(Decimal(12), months=12), Decimal(1)),
        (Charge(Decimal(9), months=3), Decimal(3)),
        (Charge(Decimal("3.36"), days=28), Decimal("3.65")),
        (Charge(Decimal("0.84"), days=7), Decimal("3.65")),
    ],
)
def test_a_period_becomes_a_month(charge: Charge, monthly: Decimal) -> None:
    assert charge.monthly() == monthly


@given(numbers)
def test_disputes_are_where_the_number_says(n: int) -> None:
    assert truth("amdocs_demo", n, NOW).disputed == (n % 50 == 5)


def test_active_disputes_were_opened_within_30_days_and_old_ones_closed_long_ago() -> None:
    for n in range(5, CUSTOMERS, 50):
        plan = ticket_plan(n)
        assert plan is not None
        assert 0 < (NOW - plan.opened_at(NOW)).days < 30
    for n in range(25, CUSTOMERS, 50):
        plan = ticket_plan(n)
        assert plan is not None
        assert plan.state == "closed"
        assert (NOW - plan.changed_at(NOW)).days > 90


def test_fees_vary_by_customer_and_by_tenant() -> None:
    fees = [truth("amdocs_demo", n, NOW).monthly_fee for n in range(CUSTOMERS)]
    others = [truth("csg_demo", n, NOW).monthly_fee for n in range(CUSTOMERS)]
    assert len(set(fees)) > 600
    assert sum(one == other for one, other in zip(fees, others, strict=True)) < 220
    assert Decimal("0.00") in fees


def test_no_two_vendors_know_anybody_by_the_same_id() -> None:
    ids = [vendor_id(shape, n) for shape in SHAPES for n in range(CUSTOMERS)]
    assert len(set(ids)) == len(ids)


def test_nearly_everybody_is_mapped_even_those_whom_the_vendor_does_not_know() -> None:
    mapped = dict(identity_rows("csg_demo", "csg"))
    unmapped = [n for n in range(CUSTOMERS) if customer_id("csg_demo", n) not in mapped]
    assert unmapped == list(range(99, CUSTOMERS, 100))
    assert mapped[customer_id("csg_demo", 9)] == vendor_id("csg", 9)


def test_the_mock_tenant_follows_the_same_numbering() -> None:
    billing, disputed = mock_billing(now=NOW), mock_disputed(now=NOW)
    for n in range(CUSTOMERS):
        fact, one = truth("mock_demo", n, NOW), billing[customer_id("mock_demo", n)]
        assert (one is not None) == fact.known
        assert one is None or one.monthly_fee == fact.monthly_fee
        assert (customer_id("mock_demo", n) in disputed) == fact.disputed


def test_no_repr_shows_what_somebody_pays() -> None:
    assert "fee" not in repr(truth("csg_demo", 0, NOW))
    assert "amount" not in repr(charges("csg_demo", 0))
