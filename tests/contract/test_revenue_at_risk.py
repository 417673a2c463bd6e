"""Contract, sections 2.2 and 6, and the rules of the answer: the revenue at risk of a batch."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.bss_adapter import RevenueResult
from tests.contract.subject import (
    Customer,
    Subject,
    exact,
    is_priced,
    is_unknown,
    is_without_a_price,
    live,
    total,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_total_and_the_counts_of_200_customers_are_right(subject: Subject) -> None:
    customers = subject.customers[:200]
    result = await live(subject, customers)
    assert exact(result.total_revenue_at_risk) == total(customers)
    priced = sum(is_priced(one) for one in customers)
    assert result.priced_customer_count == priced
    assert result.unpriced_customer_count == 200 - priced


async def test_the_result_has_the_fields_and_types_of_the_contract(subject: Subject) -> None:
    result = await live(subject, subject.some(is_priced))
    assert isinstance(result, RevenueResult)
    assert isinstance(result.total_revenue_at_risk, float)
    assert type(result.is_estimate) is bool
    assert isinstance(result.source, str)
    assert type(result.priced_customer_count) is int
    assert type(result.unpriced_customer_count) is int
    assert type(result.requires_manual_valuation) is bool


async def test_the_result_serialises_to_exactly_the_fields_of_the_contract(
    subject: Subject,
) -> None:
    result = await live(subject, subject.some(is_priced))
    assert list(result.model_dump(mode="json")) == [
        "total_revenue_at_risk",
        "is_estimate",
        "source",
        "priced_customer_count",
        "unpriced_customer_count",
        "requires_manual_valuation",
    ]


async def test_the_source_names_the_adapter(subject: Subject) -> None:
    assert (await live(subject, subject.some(is_priced))).source == subject.source


async def test_live_data_is_an_estimate_only_where_the_adapter_says_so(subject: Subject) -> None:
    mixed = subject.some(is_priced) + subject.some(is_unknown) + subject.some(is_without_a_price)
    assert (await live(subject, mixed)).is_estimate is subject.is_estimate


async def test_an_empty_list_is_answered_without_a_total(subject: Subject) -> None:
    assert await live(subject, []) == RevenueResult(
        total_revenue_at_risk=None,
        is_estimate=subject.is_estimate,
        source=subject.source,
        priced_customer_count=0,
        unpriced_customer_count=0,
        requires_manual_valuation=False,
    )


async def test_a_customer_asked_for_twice_counts_once(subject: Subject) -> None:
    once = subject.some(is_priced) + subject.some(is_unknown)
    assert await live(subject, [*once, *once, once[0]]) == await live(subject, once)


async def test_the_order_of_the_customers_changes_nothing(subject: Subject) -> None:
    customers = list(subject.customers[:20])
    assert await live(subject, customers[::-1]) == await live(subject, customers)


async def test_manual_valuation_is_asked_for_only_when_somebody_is_unpriced(
    subject: Subject,
) -> None:
    priced = subject.some(is_priced)
    assert (await live(subject, priced)).requires_manual_valuation is False
    for unpriced in (subject.some(is_unknown, 1), subject.some(is_without_a_price, 1)):
        assert (await live(subject, priced + unpriced)).requires_manual_valuation is True


@pytest.mark.parametrize("kind", [is_unknown, is_without_a_price], ids=["unknown", "no price"])
async def test_a_customer_without_billing_data_is_unpriced_and_never_given_an_average(
    subject: Subject, kind: Callable[[Customer], bool]
) -> None:
    priced = subject.some(is_priced)
    result = await live(subject, priced + subject.some(kind))
    assert exact(result.total_revenue_at_risk) == total(priced)
    assert (result.priced_customer_count, result.unpriced_customer_count) == (3, 3)


async def test_the_total_is_none_and_not_zero_when_nobody_is_priced(subject: Subject) -> None:
    result = await live(subject, subject.some(is_unknown) + subject.some(is_without_a_price))
    assert result.total_revenue_at_risk is None
    assert (result.priced_customer_count, result.unpriced_customer_count) == (0, 6)


async def test_a_yearly_charge_adds_a_twelfth(subject: Subject) -> None:
    yearly = subject.some(lambda one: one.yearly)
    assert exact((await live(subject, yearly)).total_revenue_at_risk) == total(yearly)


async def test_two_products_add_their_sum(subject: Subject) -> None:
    doubles = subject.some(lambda one: one.products == 2)
    assert exact((await live(subject, doubles)).total_revenue_at_risk) == total(doubles)


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(chosen=st.lists(st.integers(0, 199), min_size=1, max_size=8))
async def test_a_batch_is_the_sum_of_what_its_customers_show_one_by_one(
    subject: Subject, chosen: list[int]
) -> None:
    customers = [subject.customers[index] for index in chosen]
    shares: dict[int, Decimal] = {}
    for index, customer in zip(chosen, customers, strict=True):
        account = await subject.adapter.get_billing_account(customer.customer_id)
        fee = None if account is None else exact(account.monthly_fee)
        if fee is not None:
            shares[index] = fee
    result = await live(subject, customers)
    assert exact(result.total_revenue_at_risk) == (sum(shares.values()) if shares else None)
    assert result.priced_customer_count == len(shares)
    assert result.unpriced_customer_count == len(set(chosen)) - len(shares)
