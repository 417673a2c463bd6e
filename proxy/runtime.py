"""One configuration at work: its connections, its databases, and a desk for each tenant.

It never changes what it was configured with: another configuration makes another runtime, and the
old one closes when the last question that holds a lease on it is answered. What both of them ask
for in the same words (a connection, a database, what is remembered) passes from one to the other.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from adapters.identity import IdentityMap
from adapters.lookup import LookupAdapter
from adapters.ports import Ports
from adapters.registry import base_urls, build, reaches
from config.settings import Connection, IdentitySource, Settings, Tenant
from config.tmf_settings import TmfProfile
from proxy.cache.envelope import basis_of
from proxy.cache.layer import Cache
from proxy.caching import Caching, Environs
from proxy.connection import VendorConnection
from proxy.database_guard import GuardedDatabases
from proxy.databases import (
    Database,
    DatabaseKey,
    Databases,
    database_of,
    identity_database_of,
    unopened,
)
from proxy.guard.breaker import Breaker
from proxy.guard.switch import Forced
from proxy.http.ports import Desk, NoSuchThing
from proxy.identities import Identities
from proxy.lifecycle import Leases
from proxy.pipeline import flights, forget, lookup_stack
from proxy.redis_caching import open_cache
from proxy.reporting import as_json, breaker_record, credentials_record
from proxy.shelf import Loan
from proxy.switchboard import Switchboard
from proxy.telemetry import Telemetry
from proxy.telemetry.records import (
    BreakerRecord,
    CacheRecord,
    CertificateRecord,
    CredentialsRecord,
    FileRecord,
    GuardRecord,
)
from proxy.unconfigured import Unconfigured
from proxy.watching import Hints, Spawn

if TYPE_CHECKING:  # who has no database need not load a database library
    from sqlalchemy.ext.asyncio import AsyncEngine

DSN_REMEDY = "write one SQLAlchemy URL, such as postgresql+asyncpg://USER@HOST/DATABASE"


class ConfiguredRuntime:
    """Settings at work."""

    def __init__(
        self,
        settings: Settings,
        *,
        loan: Loan,
        clock: Callable[[], datetime],
        spawn: Spawn,
        telemetry: Telemetry,
    ) -> None:
        self.settings = settings
        self.default_tenant = settings.default_tenant
        self.single_budget_s = settings.deadlines.single
        self.batch_budget_s = settings.deadlines.batch
        self.batch_ids = settings.limits.batch_ids
        self.body_bytes = settings.limits.request_body
        self.leases = Leases()
        self._loan = loan
        self._clock = clock
        self._spawn = spawn
        self._telemetry = telemetry
        asked = {name: _whom(one) for name, one in settings.connections.items()}
        self._switchboard = Switchboard(asked, loan, telemetry)
        self._connections = {
            name: self._connection(name, connection)
            for name, connection in settings.connections.items()
            if reaches()[connection.vendor] == "http"
        }
        self._databases = Databases(
            _databases(settings),
            lambda key: loan.take(key, partial(unopened, key), Database.aclose),
        )
        self._readers = GuardedDatabases(
            self._databases, loan, self._switchboard.around, self._switchboard.watch
        )
        self._identities = Identities(self._databases, self._readers, loan)
        self._caching = self._cache()
        self._desks: Mapping[str, Desk] = {}
        self._engines: tuple[AsyncEngine | None, ...] = ()
        self._hints = Hints(spawn)
        self._looking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Reads what the databases' URLs are. Missing files never stop a start."""
        await self._databases.look()
        if self._caching is not None:
            await self._caching.look()
        self._set_up_desks()
        for connection in self._connections.values():
            connection.start()
        cached = self._caching.files() if self._caching else frozenset()
        self._hints.watch(self._databases.files() | cached)
        self._looking = self._spawn(self._look_again())

    def read_ahead(self) -> None:
        """Begins what the first question would have to wait for, and no vendor is asked for."""
        self._identities.read_ahead()

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

    def credentials(self) -> tuple[CredentialsRecord, ...]:
        """Of the connections that have any."""
        now = self._clock()
        return tuple(
            credentials_record(name, vendor, now) for name, vendor in self._connections.items()
        )

    def guards(self) -> tuple[GuardRecord, ...]:
        """Of the connections that ask somebody."""
        return tuple(
            self._guard(name, connection)
            for name, connection in self.settings.connections.items()
            if self._breakers(name)
        )

    def flights(self) -> int:
        """Shared lookups under way, of all tenants."""
        return sum(flights(desk.adapter) for desk in self._desks.values())

    def cache(self) -> CacheRecord:
        return CacheRecord(store="off") if self._caching is None else self._caching.record()

    def certificates(self) -> tuple[CertificateRecord, ...]:
        """Of no connection."""
        return () if self._caching is None else self._caching.certificates()

    def force(self, connection: str, breaker: str, forced: Forced) -> BreakerRecord:
        """The breaker as it is from now on. Raises `NoSuchThing`."""
        if connection not in self.settings.connections:
            raise NoSuchThing("connection", self.settings.connections)
        breakers = self._breakers(connection)
        if breaker not in breakers:
            raise NoSuchThing("breaker", breakers)
        return breaker_record(connection, breakers[breaker].force(forced))

    def file_problems(self) -> tuple[FileRecord, ...]:
        """Of the files that are no connection's credentials."""
        of_connections = (
            file
            for name, connection in self.settings.connections.items()
            for file in (
                self._dsn_problem(name, database_of(connection)),
                self._dsn_problem(name, identity_database_of(connection)),
                self._identities.file_problem(name, connection),
            )
            if file is not None
        )
        return (*of_connections, *(self._caching.file_problems() if self._caching else ()))

    def settle_down(self) -> None:
        """Looks at no file any more: another runtime has taken over."""
        self._hints.stop()
        if self._looking is not None:
            self._looking.cancel()

    async def aclose(self) -> None:
        """Ends what is in flight and nobody else uses; wait for the leases first."""
        self.settle_down()
        await self._loan.give_back()

    async def _look_again(self) -> None:
        while True:
            await self._hints.next()
            await self._databases.look()
            if self._caching is not None:
                await self._caching.look()
            if self._databases.engines != self._engines:
                self._set_up_desks()

    def _set_up_desks(self) -> None:
        if self._engines:
            self._telemetry.reloaded("database_url")
        self._engines = self._databases.engines
        self._desks = {
            name: self._desk(name, tenant) for name, tenant in self.settings.tenants.items()
        }

    def _breakers(self, connection: str) -> Mapping[str, Breaker]:
        vendor = self._connections.get(connection)
        of_vendor = {} if vendor is None else vendor.breakers
        return {**of_vendor, **self._readers.breakers(connection)}

    def _guard(self, name: str, connection: Connection) -> GuardRecord:
        vendor, key = self._connections.get(name), database_of(connection)
        slots = vendor.slots if vendor else self._databases[key].slots if key else None
        return GuardRecord(
            connection=name,
            breakers=tuple(
                breaker_record(name, one.status()) for one in self._breakers(name).values()
            ),
            in_flight=slots.taken if slots else 0,
            queued=slots.waiting if slots else 0,
            concurrency_limit=slots.size if slots else 0,
        )

    def _connection(self, name: str, connection: Connection) -> VendorConnection:
        apis = _apis(connection)

        def make() -> VendorConnection:
            one = VendorConnection(
                name,
                connection,
                apis,
                spawn=self._spawn,
                clock=self._clock,
                around=partial(self._switchboard.around, name),
            )
            for breaker in one.breakers.values():
                self._switchboard.watch(name, breaker)
            return one

        # Nothing of what is left out here reaches its sockets, so it may change without them.
        words = connection.model_copy(
            update={
                "apis": {},
                "base_url": None,
                "identity": IdentitySource(),
                "tmf": TmfProfile(),
                "database": None,
            }
        )
        return self._loan.take((name, words, apis), make, VendorConnection.aclose)

    def _desk(self, name: str, tenant: Tenant) -> Desk:
        connection = self.settings.connections[tenant.connection]
        identity = self._identities.of(name, tenant.connection, connection)
        adapter = self._adapter(name, tenant, connection, identity)
        lookups = lookup_stack(
            adapter,
            spawn=self._spawn,
            report=partial(self._telemetry.adapter_failed, tenant.connection),
            most_customers=self.settings.limits.customers_in_flight,
            keep=self._keep(name, tenant),
        )

        async def forget_everywhere(customer_id: UUID) -> None:
            identity.forget(customer_id)
            await forget(lookups, customer_id)

        return Desk(
            tenant=name, connection=tenant.connection, adapter=lookups, forget=forget_everywhere
        )

    def _keep(self, name: str, tenant: Tenant) -> Callable[[LookupAdapter], Cache] | None:
        if self._caching is None:
            return None
        return partial(
            Cache,
            tenant=name,
            connection=tenant.connection,
            vault=self._caching.vault,
            basis=_basis(self.settings, tenant.connection),
            refresh_budget_s=self.settings.deadlines.batch,
        )

    def _cache(self) -> Caching | None:
        setting = self.settings.cache
        if setting.store == "off":
            return None
        environs = Environs(
            spawn=self._spawn,
            clock=self._clock,
            telemetry=self._telemetry,
            lag=self._switchboard.lag,
        )
        return self._loan.take(
            ("cache", setting), partial(open_cache, setting, environs), Caching.aclose
        )

    def _adapter(
        self, name: str, tenant: Tenant, connection: Connection, identity: IdentityMap
    ) -> LookupAdapter:
        reader = None
        database = connection.database
        if reaches()[connection.vendor] == "database":
            reader = self._readers.reader(tenant.connection, connection, "database")
            if reader is None:
                return Unconfigured()
        vendor = self._connections.get(tenant.connection)
        ports = Ports(
            tenant=name,
            connection=tenant.connection,
            reporting_currency=tenant.reporting_currency,
            identity=identity,
            exchange=None if vendor is None else vendor.exchange,
            concurrency=connection.wire.concurrency,
            database=reader,
            database_currency="GBP" if database is None else database.currency,
            tmf=_tmf(connection),
        )
        return build(connection.vendor, ports)

    def _shown(self, name: str, connection: Connection) -> dict[str, object]:
        shown: dict[str, object] = {"vendor": connection.vendor}
        if (vendor := self._connections.get(name)) is not None:
            shown |= as_json(vendor)
        if (key := database_of(connection)) is not None:
            shown["database"] = self._databases[key].problem or "open"
        tenants = (
            tenant for tenant, one in self.settings.tenants.items() if one.connection == name
        )
        kind, problem = connection.identity.kind, self._identities.problem(connection, tenants)
        shown["identity"] = f"{kind}: {problem}" if problem else kind
        return shown

    def _dsn_problem(self, name: str, key: DatabaseKey | None) -> FileRecord | None:
        if key is None or key.dsn_file is None or not self._databases[key].file_problem:
            return None
        return FileRecord(
            kind="database_url",
            connection=name,
            file=key.dsn_file,
            what=self._databases[key].file_problem,
            remedy=DSN_REMEDY,
        )


def _databases(settings: Settings) -> Iterator[DatabaseKey]:
    for connection in settings.connections.values():
        for key in (database_of(connection), identity_database_of(connection)):
            if key is not None:
                yield key


def _apis(connection: Connection) -> Mapping[Any, str]:
    apis = {str(name): url for name, url in connection.apis.items()}
    return base_urls(connection.vendor, connection.base_url, apis, _tmf(connection))


def _whom(connection: Connection) -> object:
    """Whom a connection asks, for what and for its tokens."""
    return connection.base_url, connection.apis, connection.oauth2 and connection.oauth2.token_url


def _basis(settings: Settings, connection: str) -> bytes:
    """Of what is left out here no answer depends."""
    left_out = {"tls", "insecure", "wire", "guard"}
    # By the serializer of all settings, which is there: a connection alone would need its own.
    dumped = settings.model_dump(
        mode="json",
        include={"connections": {connection}},
        exclude={"connections": {connection: left_out}},
    )
    return basis_of(json.dumps(dumped["connections"][connection], sort_keys=True))


def _tmf(connection: Connection) -> dict[str, object]:
    return {name: value for name, value in connection.tmf if value is not None}
