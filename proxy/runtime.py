"""One configuration at work: its connections, its databases, and a desk for each tenant.

It never changes what it was configured with: another configuration makes another runtime, and the
old one closes when the last question that holds a lease on it is answered.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.identity import IdentityMap, SameId, VendorIds
from adapters.identity_database import PedkaiDatabaseIdentity
from adapters.identity_file import FileIdentity
from adapters.lookup import LookupAdapter
from adapters.outcome import Billing, Call, Dispute, Learn, LookupFailed, Reason
from adapters.ports import Ports
from adapters.registry import base_urls, build, reaches
from config.settings import Connection, Deadlines, Limits, Settings, Tenant
from proxy.connection import VendorConnection
from proxy.databases import Databases, database_of, identity_database_of
from proxy.http.ports import Desk
from proxy.lifecycle import Leases
from proxy.pipeline import lookup_stack

Spawn: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
AdapterFailed: TypeAlias = Callable[[str, str], None]
"""Takes a connection's name and the type names of what its adapter raised."""

LOOK_AGAIN_S = 1.0
"""How often the files with databases' URLs are read."""
_TENANT = re.compile(r"[a-z][a-z0-9_]{2,99}")


class Unconfigured(LookupAdapter):
    """Stands where there is no adapter: nobody can say, because nothing says whom to ask."""

    source = "unavailable"
    is_estimate = True

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        _nobody_to_ask()

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        _nobody_to_ask()


class UnreadIdentity(IdentityMap):
    """Stands where an identity map's database has not been opened: nobody's id can be read."""

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> VendorIds:
        return VendorIds({}, frozenset(customer_ids))

    def forget(self, customer_id: UUID) -> None:
        """Nothing is remembered."""


class UnconfiguredRuntime:
    """What serves while there is no usable configuration: every question is answered, degraded."""

    default_tenant: Final = "unknown"
    """Whether there is a default tenant is not known, so a request that names none is answered."""

    def __init__(self, *, spawn: Spawn, report: AdapterFailed) -> None:
        self.single_budget_s = Deadlines().single
        self.batch_budget_s = Deadlines().batch
        self.batch_ids = Limits().batch_ids
        self.body_bytes = Limits().request_body
        self.leases = Leases()
        self._adapter = _stacked(Unconfigured(), "-", spawn=spawn, report=report)

    def desk(self, tenant: str) -> Desk | None:
        """Which tenants there are is not known: any that could be one is answered."""
        if not _TENANT.fullmatch(tenant):
            return None
        return Desk(tenant=tenant, connection="-", adapter=self._adapter, forget=_remember_nothing)

    def connections(self) -> Mapping[str, Mapping[str, object]]:
        return {}

    def tenants(self) -> Mapping[str, str]:
        return {}

    async def aclose(self) -> None:
        """Holds nothing."""


class ConfiguredRuntime:
    """Settings at work."""

    def __init__(self, settings: Settings, *, spawn: Spawn, report: AdapterFailed) -> None:
        self.settings = settings
        self.default_tenant = settings.default_tenant
        self.single_budget_s = settings.deadlines.single
        self.batch_budget_s = settings.deadlines.batch
        self.batch_ids = settings.limits.batch_ids
        self.body_bytes = settings.limits.request_body
        self.leases = Leases()
        self._spawn = spawn
        self._report = report
        self._connections = {
            name: VendorConnection(name, connection, _apis(connection), spawn=spawn)
            for name, connection in settings.connections.items()
            if reaches()[connection.vendor] == "http"
        }
        self._files: dict[str, FileIdentity] = {}
        self._identities: dict[str, tuple[AsyncEngine, PedkaiDatabaseIdentity]] = {}
        self._databases = Databases(
            key
            for connection in settings.connections.values()
            for key in (database_of(connection), identity_database_of(connection))
            if key is not None
        )
        self._desks: Mapping[str, Desk] = {}
        self._looking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Reads what the databases' URLs are. Missing ones never stop a start."""
        await self._databases.look()
        self._set_up_desks()
        self._looking = self._spawn(self._look_again())

    def desk(self, tenant: str) -> Desk | None:
        return self._desks.get(tenant)

    def connections(self) -> Mapping[str, Mapping[str, object]]:
        """What the status page shows of each. Nothing personal and no secret is in it."""
        return {
            name: self._shown(name, connection)
            for name, connection in self.settings.connections.items()
        }

    def tenants(self) -> Mapping[str, str]:
        return {name: tenant.connection for name, tenant in self.settings.tenants.items()}

    async def aclose(self) -> None:
        """Ends what is in flight; wait for the leases first."""
        if self._looking is not None:
            self._looking.cancel()
        for connection in self._connections.values():
            await connection.aclose()
        await self._databases.aclose()

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            if await self._databases.look():
                self._set_up_desks()

    def _set_up_desks(self) -> None:
        self._desks = {
            name: self._desk(name, tenant) for name, tenant in self.settings.tenants.items()
        }

    def _desk(self, name: str, tenant: Tenant) -> Desk:
        connection = self.settings.connections[tenant.connection]
        identity = self._identity(name, connection)
        return Desk(
            tenant=name,
            connection=tenant.connection,
            adapter=_stacked(
                self._adapter(name, tenant, connection, identity),
                tenant.connection,
                spawn=self._spawn,
                report=self._report,
            ),
            forget=identity.forget,
        )

    def _adapter(
        self, name: str, tenant: Tenant, connection: Connection, identity: IdentityMap
    ) -> LookupAdapter:
        engine = None
        database = connection.database
        if reaches()[connection.vendor] == "database":
            key = database_of(connection)
            engine = None if key is None else self._databases[key].engine
            if engine is None:
                return Unconfigured()
        vendor = self._connections.get(tenant.connection)
        ports = Ports(
            tenant=name,
            connection=tenant.connection,
            reporting_currency=tenant.reporting_currency,
            identity=identity,
            exchange=None if vendor is None else vendor.exchange,
            concurrency=connection.wire.concurrency,
            database=engine,
            database_currency="GBP" if database is None else database.currency,
            tmf=_tmf(connection),
        )
        return build(connection.vendor, ports)

    def _identity(self, tenant: str, connection: Connection) -> IdentityMap:
        source = connection.identity
        if source.kind == "file" and source.file is not None:
            return self._files.setdefault(source.file, FileIdentity(Path(source.file)))
        key = identity_database_of(connection)
        if key is None:
            return SameId()
        engine = self._databases[key].engine
        if engine is None:
            return UnreadIdentity()
        known, identity = self._identities.get(tenant, (None, None))
        if identity is None or known is not engine:
            identity = PedkaiDatabaseIdentity(
                engine, tenant, remember_s=source.remember, capacity=source.remember_customers
            )
            self._identities[tenant] = engine, identity
        return identity

    def _shown(self, name: str, connection: Connection) -> dict[str, object]:
        shown: dict[str, object] = {"vendor": connection.vendor}
        if (vendor := self._connections.get(name)) is not None:
            shown |= {
                key: value.isoformat() if isinstance(value, datetime) else value
                for key, value in asdict(vendor.status()).items()
                if key != "name"
            }
        if (key := database_of(connection)) is not None:
            shown["database"] = self._databases[key].problem or "open"
        shown["identity"] = self._shown_identity(name, connection)
        return shown

    def _shown_identity(self, name: str, connection: Connection) -> str:
        kind, file = connection.identity.kind, connection.identity.file
        problem: str | None = None
        if (key := identity_database_of(connection)) is not None:
            problem = self._databases[key].problem or self._unread(name)
        elif file in self._files:
            problem = self._files[file].problem
        return f"{kind}: {problem}" if problem else kind

    def _unread(self, connection: str) -> str | None:
        """Why the latest read of a tenant's mappings failed, if one of its tenants' did."""
        for tenant, (_, identity) in self._identities.items():
            if self.settings.tenants[tenant].connection == connection and identity.problem:
                return str(identity.problem)
        return None


def _stacked(
    adapter: LookupAdapter, connection: str, *, spawn: Spawn, report: AdapterFailed
) -> LookupAdapter:
    return lookup_stack(adapter, spawn=spawn, report=lambda types: report(connection, types))


def _apis(connection: Connection) -> Mapping[Any, str]:
    apis = {str(name): url for name, url in connection.apis.items()}
    return base_urls(connection.vendor, connection.base_url, apis, _tmf(connection))


def _tmf(connection: Connection) -> dict[str, object]:
    return connection.tmf.model_dump(exclude_none=True)


def _nobody_to_ask() -> NoReturn:
    raise LookupFailed(Reason.CONFIGURATION, "there is no usable configuration")


def _remember_nothing(_customer_id: UUID) -> None:
    """Nothing is remembered, so nothing is to be forgotten."""
