"""A whole sidecar over HTTP, in this process: five tenants, three pretend vendors, a database."""

import io
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import yaml
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.lookup import wall_clock
from adapters.simulator import pedkai
from adapters.simulator.population import SHAPES, Shape
from adapters.simulator.vendor import SimulatedVendor
from proxy.app import Sidecar
from proxy.configuration import read_configuration
from proxy.telemetry import Telemetry
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics
from tests.servers.vendors import NOW, Setup, connection_setting, vendor

TENANTS: Mapping[str, str] = {
    **{f"{shape}_demo": shape for shape in SHAPES},
    "local_demo": "local",
    "mock_demo": "mock",
}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)
    took_s: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Pod:
    """Asks one listener, as Pedkai's pod would."""

    session: aiohttp.ClientSession
    url: str

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Reply:
        began = time.perf_counter()
        async with self.session.request(method, self.url + path, headers=headers, **more) as answer:
            body = await answer.read()
            names = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, names, body, time.perf_counter() - began)

    async def account(self, tenant: str, customer_id: UUID) -> Reply:
        path = f"/v1/customers/{customer_id}/billing-account"
        return await self.ask("GET", path, headers={"X-Tenant-ID": tenant})

    async def revenue(self, tenant: str, customer_ids: Sequence[UUID]) -> Reply:
        return await self._batch("/v1/revenue-at-risk", tenant, customer_ids)

    async def disputes(self, tenant: str, customer_ids: Sequence[UUID]) -> Reply:
        return await self._batch("/v1/disputes", tenant, customer_ids)

    async def _batch(self, path: str, tenant: str, customer_ids: Sequence[UUID]) -> Reply:
        body = {"customer_ids": [str(one) for one in customer_ids]}
        return await self.ask("POST", path, headers={"X-Tenant-ID": tenant}, json=body)


@dataclass(frozen=True, slots=True)
class Demonstration:
    """Everything that runs, and what it said."""

    sidecar: Sidecar
    data: Pod
    ops: Pod
    admin: Pod
    vendors: Mapping[Shape, SimulatedVendor]
    database: Path
    log: io.StringIO = field(repr=False)


@asynccontextmanager
async def demonstration(
    folder: Path, *, setups: Mapping[Shape, Setup] | None = None
) -> AsyncIterator[Demonstration]:
    """`setups` says which vendors there are, and how; all three unless given."""
    setups = {shape: Setup(shape=shape) for shape in SHAPES} if setups is None else setups
    database = folder / "pedkai.db"
    log = io.StringIO()
    async with AsyncExitStack() as stack:
        vendors = {
            shape: await stack.enter_async_context(vendor(setup, folder))
            for shape, setup in setups.items()
        }
        file = await _configured(folder, database, setups, vendors)
        telemetry = Telemetry(Log(log, level="debug", style="json"), Metrics())
        sidecar = Sidecar(telemetry, clock=wall_clock)
        stack.push_async_callback(sidecar.stop, 0.1)
        reading = read_configuration(file, env={})
        assert not reading.problems
        await sidecar.take_up(reading)
        await sidecar.listen()
        session = await stack.enter_async_context(aiohttp.ClientSession())
        pods = {name: Pod(session, str(where)) for name, where in sidecar.addresses().items()}
        yield Demonstration(sidecar, **pods, vendors=vendors, database=database, log=log)


async def _configured(
    folder: Path,
    database: Path,
    setups: Mapping[Shape, Setup],
    vendors: Mapping[Shape, SimulatedVendor],
) -> Path:
    engine = create_async_engine(f"sqlite+aiosqlite:///{database}")
    await pedkai.seed(engine, now=NOW)
    await engine.dispose()
    (folder / "dsn").write_text(f"sqlite+aiosqlite:///{database}")
    file = folder / "sidecar.yaml"
    file.write_text(yaml.safe_dump(_settings(folder, setups, vendors)))
    return file


def _settings(
    folder: Path, setups: Mapping[Shape, Setup], vendors: Mapping[Shape, SimulatedVendor]
) -> dict[str, Any]:
    dsn_file = str(folder / "dsn")
    connections: dict[str, Any] = {
        "local": {"vendor": "local", "database": {"dsn_file": dsn_file}},
        "mock": {"vendor": "mock"},
    }
    for shape, running in vendors.items():
        setting = connection_setting(setups[shape], running, folder)
        connections[shape] = setting.model_dump(
            mode="json", exclude_unset=True, exclude_none=True
        ) | {"identity": {"kind": "pedkai_db", "dsn_file": dsn_file}}
    tenants = {name: one for name, one in TENANTS.items() if one in connections}
    return {
        "schema_version": 1,
        "listeners": {name: {"port": 0} for name in ("data", "ops", "admin")},
        "logging": {"level": "debug", "format": "json"},
        "connections": connections,
        "tenants": {name: {"connection": connection} for name, connection in tenants.items()},
    }


class Locked:
    """Takes a SQLite file for itself, as a backup does that never ends: nobody else can read."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._intruder: sqlite3.Connection | None = None

    async def begin(self) -> None:
        self._intruder = sqlite3.connect(self._database, isolation_level=None)
        self._intruder.execute("BEGIN EXCLUSIVE")

    async def end(self) -> None:
        if self._intruder is not None:
            self._intruder.close()
            self._intruder = None
