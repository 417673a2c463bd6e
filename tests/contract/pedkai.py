"""The local adapter as a subject, over a database that is filled with the numbered customers."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from adapters.database import EngineReader, open_engine
from adapters.identity import SameId
from adapters.local_adapter import LocalBSSAdapter
from adapters.ports import Ports
from adapters.simulator.population import charges
from tests.contract.numbering import customers_of
from tests.contract.subject import Subject, Switch, numbered
from tests.servers import pedkai

TENANT = "local_demo"


@asynccontextmanager
async def local_subject(
    database: pedkai.OnSqlite | pedkai.OnPostgres, *, cut: Switch, restore: Switch
) -> AsyncIterator[Subject]:
    await database.fill(*_records(datetime.now(tz=UTC).replace(tzinfo=None)))  # noqa: TID251  (the adapter's own clock)
    engine = open_engine(database.url, pool=5, connect_timeout_s=0.3)
    try:
        ports = Ports(
            tenant=TENANT, connection="db", identity=SameId(), database=EngineReader(engine)
        )
        yield Subject(
            adapter=LocalBSSAdapter(ports),
            source="bss_local",
            is_estimate=False,
            customers=customers_of(TENANT, _plan_name),
            cut=cut,
            restore=restore,
        )
    finally:
        await engine.dispose()


def _records(now: datetime) -> Iterator[pedkai.Record]:
    for number in range(200):
        if number % 10 == 9:
            continue
        customer = pedkai.customer(TENANT, numbered(TENANT, number))
        yield customer
        ago = {5: 3, 25: 200}.get(number % 50)
        disputed = None if ago is None else now - timedelta(days=ago)
        paid = charges(TENANT, number)
        for place, charge in enumerate(paid):
            plan = pedkai.plan(TENANT, float(charge.monthly()), _name(number, place))
            yield plan
            yield pedkai.account(customer, plan, last_billing_dispute=disputed)
        if not paid:
            yield pedkai.account(customer)


def _name(number: int, place: int) -> str:
    return f"Plan {number}-{place}"


def _plan_name(number: int) -> str | None:
    monthly = [charge.monthly() for charge in charges(TENANT, number)]
    return _name(number, monthly.index(max(monthly))) if monthly else None
