from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.simulator import pedkai
from adapters.simulator.population import CUSTOMERS, customer_id, truth

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FEES = """
    SELECT a.customer_id, p.monthly_fee FROM bss_billing_accounts a
    JOIN bss_service_plans p ON p.id = a.plan_id WHERE a.tenant_id = 'local_demo'
"""


@pytest.fixture
async def database() -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine("sqlite+aiosqlite://")
    await pedkai.seed(engine, now=NOW)
    yield engine
    await engine.dispose()


async def read(engine: AsyncEngine, statement: str) -> list[Any]:
    async with engine.connect() as connection:
        return list(await connection.execute(text(statement)))


async def test_the_local_tenants_plans_add_up_to_the_true_fees(database: AsyncEngine) -> None:
    fees: dict[UUID, Decimal] = {}
    for owner, fee in await read(database, FEES):
        fees[UUID(owner)] = fees.get(UUID(owner), Decimal(0)) + Decimal(repr(fee))
    for n in range(CUSTOMERS):
        expected = truth("local_demo", n, NOW).monthly_fee
        assert fees.get(customer_id("local_demo", n)) == expected


async def test_customers_whom_nobody_knows_have_no_row(database: AsyncEngine) -> None:
    statement = "SELECT id FROM customers WHERE tenant_id = 'local_demo'"
    known = {UUID(row[0]) for row in await read(database, statement)}
    for n in range(CUSTOMERS):
        assert (customer_id("local_demo", n) in known) == truth("local_demo", n, NOW).known


async def test_recent_disputes_are_the_true_ones(database: AsyncEngine) -> None:
    statement = """
        SELECT customer_id, last_billing_dispute FROM bss_billing_accounts
        WHERE last_billing_dispute IS NOT NULL
    """
    rows = await read(database, statement)
    since = (NOW - timedelta(days=30)).replace(tzinfo=None)
    recent = {UUID(owner) for owner, at in rows if datetime.fromisoformat(at) >= since}
    assert recent == {
        customer_id("local_demo", n)
        for n in range(CUSTOMERS)
        if truth("local_demo", n, NOW).disputed
    }
    assert len(rows) > len(recent)


async def test_vendor_tenants_have_the_ids_that_their_vendor_knows(database: AsyncEngine) -> None:
    statement = "SELECT id, external_id FROM customers WHERE tenant_id = 'amdocs_demo'"
    ids = {UUID(row[0]): row[1] for row in await read(database, statement)}
    assert len(ids) == 990
    assert ids[customer_id("amdocs_demo", 123)] == "IND-000123"


async def test_another_operator_has_rows_about_the_same_customers(database: AsyncEngine) -> None:
    statement = "SELECT count(*) FROM bss_billing_accounts WHERE tenant_id = 'another_operator'"
    assert (await read(database, statement))[0][0] == 10


async def test_averages_differ_from_every_fee(database: AsyncEngine) -> None:
    statement = """
        SELECT count(*) FROM bss_billing_accounts a JOIN bss_service_plans p ON p.id = a.plan_id
        WHERE a.avg_monthly_revenue = p.monthly_fee
    """
    assert (await read(database, statement))[0][0] == 0
