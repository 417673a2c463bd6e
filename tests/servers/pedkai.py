"""A database with Pedkai's schema, to be filled by tests: on PostgreSQL, or in a SQLite file."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol
from uuid import UUID, uuid4

import asyncpg

from tests.servers.postgres import Postgres

TABLES = """
CREATE TABLE IF NOT EXISTS customers (
    id {uuid} PRIMARY KEY,
    external_id VARCHAR(100) UNIQUE NOT NULL,
    name VARCHAR(255),
    churn_risk_score FLOAT,
    tenant_id VARCHAR(100) NOT NULL
);
CREATE TABLE IF NOT EXISTS bss_service_plans (
    id {uuid} PRIMARY KEY,
    tenant_id VARCHAR(100) NOT NULL,
    name VARCHAR(100) NOT NULL,
    tier VARCHAR(50) NOT NULL,
    monthly_fee FLOAT NOT NULL,
    sla_guarantee VARCHAR(100),
    created_at TIMESTAMP,
    UNIQUE (tenant_id, name)
);
CREATE TABLE IF NOT EXISTS bss_billing_accounts (
    id {uuid} PRIMARY KEY,
    tenant_id VARCHAR(100) NOT NULL,
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    plan_id {uuid} REFERENCES bss_service_plans (id),
    account_status VARCHAR(50) DEFAULT 'ACTIVE',
    avg_monthly_revenue FLOAT,
    contract_end_date TIMESTAMP,
    last_billing_dispute TIMESTAMP
);
CREATE INDEX IF NOT EXISTS accounts_of_customer ON bss_billing_accounts (customer_id);
"""
EMPTY = "TRUNCATE customers, bss_service_plans, bss_billing_accounts"


class Customer(NamedTuple):
    """A row of `customers`."""

    id: UUID
    tenant_id: str
    external_id: str


class Plan(NamedTuple):
    """A row of `bss_service_plans`."""

    id: UUID
    tenant_id: str
    name: str
    monthly_fee: float
    tier: str = "GOLD"


class Account(NamedTuple):
    """A row of `bss_billing_accounts`."""

    id: UUID
    tenant_id: str
    customer_id: UUID
    plan_id: UUID | None = None
    last_billing_dispute: datetime | str | None = None
    avg_monthly_revenue: float | None = None


NAMES = {Customer: "customers", Plan: "bss_service_plans", Account: "bss_billing_accounts"}
Record = Customer | Plan | Account


class PedkaiDatabase(Protocol):
    url: str

    async def fill(self, *records: Record) -> None:
        """Insert; customers and plans come before the accounts that name them."""
        ...


@dataclass(frozen=True, slots=True)
class OnPostgres:
    server: Postgres
    url: str

    async def fill(self, *records: Record) -> None:
        connection = await self._connected()
        try:
            for kind, rows in _by_kind(records):
                await connection.copy_records_to_table(
                    NAMES[kind], records=rows, columns=kind._fields
                )
        finally:
            await connection.close()

    async def run(self, script: str) -> None:
        connection = await self._connected()
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    async def _connected(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=str(self.server.folder), user="pedkai", database="postgres"
        )


@dataclass(frozen=True, slots=True)
class OnSqlite:
    file: Path
    url: str
    write_uuid: Callable[[UUID], str] = str

    async def fill(self, *records: Record) -> None:
        await asyncio.to_thread(self._fill, records)

    def _fill(self, records: Sequence[Record]) -> None:
        connection = sqlite3.connect(self.file)
        with connection:
            for kind, rows in _by_kind(records):
                marks = ", ".join("?" for _ in kind._fields)
                columns = ", ".join(kind._fields)
                connection.executemany(
                    f"INSERT INTO {NAMES[kind]} ({columns}) VALUES ({marks})",  # noqa: S608
                    [[self._written(value) for value in row] for row in rows],
                )
        connection.close()

    def _written(self, value: object) -> object:
        if isinstance(value, UUID):
            return self.write_uuid(value)
        return value.isoformat(" ") if isinstance(value, datetime) else value


def _by_kind(records: Iterable[Record]) -> Iterable[tuple[type[Record], list[Record]]]:
    listed = list(records)
    for kind in NAMES:
        if rows := [one for one in listed if isinstance(one, kind)]:
            yield kind, rows


async def on_postgres(server: Postgres) -> OnPostgres:
    """The server's one database with the schema, emptied."""
    database = OnPostgres(server, server.url())
    await database.run(TABLES.format(uuid="UUID") + EMPTY)
    return database


def on_sqlite(file: Path, write_uuid: Callable[[UUID], str] = str) -> OnSqlite:
    """A new file. `write_uuid` is `str` for hyphened text, or takes the 32 hexadecimal digits."""
    connection = sqlite3.connect(file)
    connection.executescript(TABLES.format(uuid="CHAR(36)"))
    connection.close()
    return OnSqlite(file, f"sqlite+aiosqlite:///{file}", write_uuid)


def plan(tenant: str, fee: float, name: str = "") -> Plan:
    made = uuid4()
    return Plan(made, tenant, name or f"plan {made}", fee)


def customer(tenant: str, customer_id: UUID | None = None) -> Customer:
    made = customer_id or uuid4()
    return Customer(made, tenant, f"ext-{made}")


def account(owner: Customer, on: Plan | None = None, **columns: object) -> Account:
    """An account of the owner's tenant."""
    chosen = {"tenant_id": owner.tenant_id, "plan_id": on and on.id, **columns}
    return Account(id=uuid4(), customer_id=owner.id, **chosen)  # type: ignore[arg-type]
