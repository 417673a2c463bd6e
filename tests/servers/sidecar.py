"""A whole sidecar over HTTP: five tenants, three pretend vendors, a database."""

import asyncio
import io
import json
import sqlite3
import sys
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
from proxy.http.admin import Extension
from proxy.telemetry import Telemetry
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.tracing import Tracing
from tests.servers.ending import end
from tests.servers.stopwatch import stopwatch
from tests.servers.vendors import NOW, Setup, connection_setting, vendor

START_TIMEOUT_S = 30
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
    """To be trusted of a sidecar in another process only, see `tests.servers.stopwatch`."""

    def json(self, **options: Any) -> Any:
        return json.loads(self.body, **options)


@dataclass(frozen=True, slots=True)
class Pod:
    """Asks one listener, as Pedkai's pod would."""

    session: aiohttp.ClientSession
    url: str

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Reply:
        with stopwatch() as taken_s:
            async with self.session.request(
                method, self.url + path, headers=headers, **more
            ) as answer:
                body = await answer.read()
        names = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status, names, body, taken_s())

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
class Stage:
    """What a sidecar needs: vendors that run, a filled database, a configuration."""

    folder: Path
    vendors: Mapping[Shape, SimulatedVendor]
    database: Path
    configuration: Path


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A sidecar on its stage."""

    stage: Stage
    pods: Mapping[str, Pod]
    """One at each listener."""
    sidecar: Sidecar | None = None
    """Where it is in this process."""
    log: io.StringIO = field(default_factory=io.StringIO, repr=False)
    """What it logs, where it is in this process."""

    @property
    def data(self) -> Pod:
        return self.pods["data"]

    @property
    def ops(self) -> Pod:
        return self.pods["ops"]

    @property
    def admin(self) -> Pod:
        return self.pods["admin"]

    @property
    def vendors(self) -> Mapping[Shape, SimulatedVendor]:
        return self.stage.vendors


@asynccontextmanager
async def staged(
    folder: Path,
    *,
    setups: Mapping[Shape, Setup] | None = None,
    cache: Mapping[str, Any] | None = None,
) -> AsyncIterator[Stage]:
    """`setups` says which vendors there are, and how; all three unless given.

    `cache`: its settings; off unless given, so that each question reaches the vendor.
    """
    setups = {shape: Setup(shape=shape) for shape in SHAPES} if setups is None else setups
    database = folder / "pedkai.db"
    async with running(setups, folder) as vendors:
        file = await _configured(folder, database, setups, vendors, cache=cache)
        yield Stage(folder, vendors, database, file)


@asynccontextmanager
async def running(
    setups: Mapping[Shape, Setup], folder: Path
) -> AsyncIterator[Mapping[Shape, SimulatedVendor]]:
    async with AsyncExitStack() as stack:
        yield {
            shape: await stack.enter_async_context(vendor(setup, folder))
            for shape, setup in setups.items()
        }


@asynccontextmanager
async def demonstration(
    folder: Path,
    *,
    setups: Mapping[Shape, Setup] | None = None,
    cache: Mapping[str, Any] | None = None,
) -> AsyncIterator[Demonstration]:
    """A sidecar in this process, and its stage."""
    async with staged(folder, setups=setups, cache=cache) as stage, within(stage) as made:
        yield made


@asynccontextmanager
async def within(
    stage: Stage,
    *,
    env: Mapping[str, str] | None = None,
    tracing: Tracing | None = None,
    extension: Extension | None = None,
) -> AsyncIterator[Demonstration]:
    """A sidecar in this process. `extension`: what its admin listener has more than in earnest."""
    log = io.StringIO()
    telemetry = Telemetry(Log(log, level="debug", style="json"), Metrics())
    telemetry.tracing = tracing or Tracing()
    sidecar = Sidecar(telemetry, clock=wall_clock, extension=extension)
    reading = read_configuration(stage.configuration, env=env or {})
    assert not reading.problems
    try:
        await sidecar.take_up(reading)
        await sidecar.listen()
        opened = {name: str(address) for name, address in sidecar.addresses().items()}
        async with aiohttp.ClientSession() as session:
            yield Demonstration(stage, _pods(session, opened), sidecar, log)
    finally:
        await sidecar.stop(0.1)


@asynccontextmanager
async def served(
    stage: Stage, *, env: Mapping[str, str] | None = None
) -> AsyncIterator[Demonstration]:
    """A sidecar as a process of its own; what it says goes into `stdout` and `stderr`."""
    out, err = stage.folder / "stdout", stage.folder / "stderr"
    command = (sys.executable, "-P", "-m", "proxy", "serve", str(stage.configuration))
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=stdout, stderr=stderr, env=env
        )
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            opened = await listeners(out, process)
        async with aiohttp.ClientSession() as session:
            yield Demonstration(stage, _pods(session, opened))
    finally:
        ended_by_itself = process.returncode
        await end(process)
        # Of a signal from elsewhere it says nothing but "stopping", and exits with 0.
        assert ended_by_itself is None, f"the sidecar ended before its time: {ended_by_itself}"


def _pods(session: aiohttp.ClientSession, opened: Mapping[str, str]) -> Mapping[str, Pod]:
    return {name: Pod(session, url) for name, url in opened.items()}


async def listeners(log: Path, process: asyncio.subprocess.Process) -> Mapping[str, str]:
    """The addresses of the three listeners, once the log names them."""
    while process.returncode is None:
        written = await asyncio.to_thread(log.read_text)
        lines = [json.loads(line) for line in written[: written.rfind("\n") + 1].splitlines()]
        opened = {one["listener"]: one["address"] for one in lines if one["event"] == "listening"}
        if len(opened) == 3:
            return opened
        await asyncio.sleep(0.02)
    raise AssertionError((log.parent / "stderr").read_text())


async def _configured(
    folder: Path,
    database: Path,
    setups: Mapping[Shape, Setup],
    vendors: Mapping[Shape, SimulatedVendor],
    *,
    cache: Mapping[str, Any] | None,
) -> Path:
    engine = create_async_engine(f"sqlite+aiosqlite:///{database}")
    await pedkai.seed(engine, now=NOW)
    await engine.dispose()
    (folder / "dsn").write_text(f"sqlite+aiosqlite:///{database}")
    file = folder / "sidecar.yaml"
    file.write_text(yaml.safe_dump(_settings(folder, setups, vendors, cache)))
    return file


def _settings(
    folder: Path,
    setups: Mapping[Shape, Setup],
    vendors: Mapping[Shape, SimulatedVendor],
    cache: Mapping[str, Any] | None,
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
        "cache": cache or {"store": "off"},
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
