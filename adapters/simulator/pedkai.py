"""Pedkai's schema, as far as it matters here, and the demo's rows in it.

The definitions are written anew instead of shared with the local adapter, so that a wrong name on
either side shows.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import (
    Column,
    DateTime,
    Float,
    ForeignKey,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.simulator.population import (
    CUSTOMERS,
    Shape,
    charges,
    customer_id,
    identity_rows,
    ticket_plan,
    truth,
)

LOCAL_TENANT = "local_demo"
VENDOR_TENANTS: Mapping[str, Shape] = {
    "amdocs_demo": "amdocs",
    "cerillion_demo": "cerillion",
    "csg_demo": "csg",
}
OTHER_TENANT = "another_operator"
"""Has rows of its own about customers of `local_demo`, which must never be counted."""

schema = MetaData()
customers = Table(
    "customers",
    schema,
    Column("id", Uuid, primary_key=True),
    Column("external_id", String(100), unique=True, nullable=False),
    Column("name", String(255)),
    Column("churn_risk_score", Float),
    Column("tenant_id", String(100), nullable=False, index=True),
)
plans = Table(
    "bss_service_plans",
    schema,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", String(100), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("tier", String(50), nullable=False),
    Column("monthly_fee", Float, nullable=False),
    Column("sla_guarantee", String(100)),
    Column("created_at", DateTime),
    UniqueConstraint("tenant_id", "name"),
)
accounts = Table(
    "bss_billing_accounts",
    schema,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", String(100), nullable=False, index=True),
    Column("customer_id", Uuid, ForeignKey("customers.id"), nullable=False, index=True),
    Column("plan_id", Uuid, ForeignKey("bss_service_plans.id"), nullable=False),
    Column("account_status", String(50), default="ACTIVE"),
    Column("avg_monthly_revenue", Float),
    Column("contract_end_date", DateTime),
    Column("last_billing_dispute", DateTime),
)

_STATUSES = ("ACTIVE", "ACTIVE", "SUSPENDED", "DELINQUENT")


async def seed(
    engine: AsyncEngine,
    *,
    now: datetime,
    local_tenant: str | None = LOCAL_TENANT,
    vendor_tenants: Mapping[str, Shape] = VENDOR_TENANTS,
) -> None:
    """Creates the tables in an empty database and fills them.

    `local_tenant` gets customers, plans and accounts by the rules of the population, where
    somebody who is billed yearly has the monthly figure (the schema knows no other); the vendors'
    tenants get customers whose `external_id` is what their vendor is asked by.
    """
    people = [row for tenant, shape in vendor_tenants.items() for row in _mapped(tenant, shape)]
    sold: list[_Sold] = []
    if local_tenant is not None:
        people += _local_customers(local_tenant)
        sold = list(_sold(local_tenant, now))
    async with engine.begin() as connection:
        await connection.run_sync(schema.create_all)
        if people:
            await connection.execute(customers.insert(), people)
        if sold:
            await connection.execute(plans.insert(), [one.plan for one in sold])
            await connection.execute(accounts.insert(), [one.account for one in sold])


def _mapped(tenant: str, shape: Shape) -> Iterator[dict[str, Any]]:
    for number, (pedkai_id, vendor_id) in enumerate(identity_rows(tenant, shape)):
        yield _customer(tenant, pedkai_id, vendor_id, number)


def _local_customers(tenant: str) -> Iterator[dict[str, Any]]:
    for n in range(CUSTOMERS):
        if n % 10 != 9:
            yield _customer(tenant, customer_id(tenant, n), f"LOC-{n:06d}", n)


def _customer(tenant: str, pedkai_id: UUID, external_id: str, number: int) -> dict[str, Any]:
    return {
        "id": pedkai_id,
        "external_id": external_id,
        "name": f"Subscriber {number:06d}",
        "churn_risk_score": number % 100 / 100,
        "tenant_id": tenant,
    }


class _Sold:
    """One plan, and the account of the one customer who has it."""

    def __init__(self, tenant: str, owner: UUID, name: str, fee: Decimal) -> None:
        self.plan = {
            "id": uuid5(NAMESPACE_URL, f"{tenant}/plan/{name}"),
            "tenant_id": tenant,
            "name": name,
            "tier": "gold" if fee > 50 else "silver",
            "monthly_fee": float(fee),
            "created_at": datetime(2024, 1, 1),  # noqa: DTZ001  (the schema's timestamps are naive)
        }
        self.account: dict[str, Any] = {
            "id": uuid5(NAMESPACE_URL, f"{tenant}/account/{name}"),
            "tenant_id": tenant,
            "customer_id": owner,
            "plan_id": self.plan["id"],
            "account_status": "ACTIVE",
            "avg_monthly_revenue": float(fee) * 1.37 + 5,
            "last_billing_dispute": None,
        }


def _sold(tenant: str, now: datetime) -> Iterator[_Sold]:
    for n in range(CUSTOMERS):
        owner = customer_id(tenant, n)
        for k, fee in enumerate(_monthly_fees(tenant, n, now)):
            one = _Sold(tenant, owner, f"Home {k + 1} of line {n:06d}", fee)
            one.account["account_status"] = _STATUSES[n % len(_STATUSES)]
            one.account["last_billing_dispute"] = _last_dispute(n, now)
            yield one
        if n % 100 == 0:
            yield _Sold(OTHER_TENANT, owner, f"Other {n:06d}", Decimal("999.99"))


def _monthly_fees(tenant: str, n: int, now: datetime) -> Sequence[Decimal]:
    """One for each product; somebody with a single product has the rounded fee of the truth."""
    paid = charges(tenant, n)
    if len(paid) > 1:
        return [charge.amount for charge in paid]
    fee = truth(tenant, n, now).monthly_fee
    return [] if fee is None else [fee]


def _last_dispute(n: int, now: datetime) -> datetime | None:
    """Naive UTC. A column that holds only a date can't say that a dispute was resolved since."""
    plan = ticket_plan(n)
    if plan is None or plan.kind != "dispute" or plan.state == "resolved":
        return None
    return plan.opened_at(now).astimezone(UTC).replace(tzinfo=None)
