"""The demo's customers as the mock adapter takes them."""

from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from adapters.outcome import Billing
from adapters.simulator.population import CURRENCY, CUSTOMERS, customer_id, truth

MOCK_TENANT = "mock_demo"


def mock_billing(*, now: datetime, tenant: str = MOCK_TENANT) -> dict[UUID, Billing | None]:
    """The billing of each customer; `None`: there is no such customer."""
    return {customer_id(tenant, n): _billing(tenant, n, now) for n in range(CUSTOMERS)}


def mock_disputed(*, now: datetime, tenant: str = MOCK_TENANT) -> set[UUID]:
    """Those with an active dispute."""
    return {customer_id(tenant, n) for n in range(CUSTOMERS) if truth(tenant, n, now).disputed}


def _billing(tenant: str, n: int, now: datetime) -> Billing | None:
    fact = truth(tenant, n, now)
    if not fact.known:
        return None
    return Billing(
        account_id=uuid5(NAMESPACE_URL, f"{tenant}/account/{n}"),
        plan_name=None if fact.monthly_fee is None else f"Mock plan {n % 7}",
        monthly_fee=fact.monthly_fee,
        currency=CURRENCY,
    )
