"""The mock as the registry makes it: the demonstration's customers, for any tenant."""

import logging

import pytest

from adapters.identity import SameId
from adapters.lookup import LookupAdapter
from adapters.ports import Ports
from adapters.registry import build
from adapters.simulator.population import customer_id

TENANT = "mock_demo"


def mock(tenant: str = TENANT, currency: str = "GBP") -> LookupAdapter:
    ports = Ports(tenant=tenant, connection="mock", reporting_currency=currency, identity=SameId())
    return build("mock", ports)


async def test_the_population_is_that_of_the_demonstration() -> None:
    everybody = [customer_id(TENANT, n) for n in range(1_000)]
    result = await mock().get_revenue_at_risk(everybody)
    assert (result.source, result.is_estimate) == ("mock", True)
    assert (result.priced_customer_count, result.unpriced_customer_count) == (800, 200)
    disputed = await mock().check_disputes(everybody)
    assert disputed == [one for n, one in enumerate(everybody) if n % 50 == 5]


@pytest.mark.parametrize(
    ("n", "known", "priced"), [(0, True, True), (8, True, False), (9, False, False)]
)
async def test_customers_follow_the_numbering(n: int, *, known: bool, priced: bool) -> None:
    info = await mock().get_billing_account(customer_id(TENANT, n))
    assert (info is not None) is known
    assert (info is not None and info.monthly_fee is not None) is priced


async def test_single_and_batch_figures_are_equal() -> None:
    for n in range(40):
        one = customer_id(TENANT, n)
        info = await mock().get_billing_account(one)
        result = await mock().get_revenue_at_risk([one])
        assert result.total_revenue_at_risk == (info and info.monthly_fee)


async def test_another_tenant_on_the_mock_has_customers_of_its_own() -> None:
    assert await mock("acme_mobile").get_billing_account(customer_id(TENANT, 0)) is None
    theirs = await mock("acme_mobile").get_billing_account(customer_id("acme_mobile", 0))
    assert theirs is not None


async def test_fees_in_another_currency_than_the_reporting_one_price_nobody() -> None:
    result = await mock(currency="EUR").get_revenue_at_risk([customer_id(TENANT, 0)])
    assert (result.total_revenue_at_risk, result.unpriced_customer_count) == (None, 1)


async def test_nothing_of_a_customer_is_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    one = customer_id(TENANT, 0)
    adapter = mock()
    info = await adapter.get_billing_account(one)
    assert info is not None
    shown = f"{caplog.text} {info!r} {adapter!r}"
    assert str(one) not in shown
    assert str(info.monthly_fee) not in shown
    assert str(info.account_id) not in shown
