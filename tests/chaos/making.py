"""How the world is made: certificates, vendors behind relays, databases, the configuration."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.simulator import pedkai
from adapters.simulator.certificates import (
    DEMO_CLIENT,
    LOOPBACK_NAMES,
    Authority,
    Validity,
)
from adapters.simulator.population import SHAPES, Shape, customer_id
from adapters.simulator.shapes import BASE_PATHS, TOKEN_PATHS
from adapters.simulator.vendor import SimulatedVendor
from tests.chaos.judge import Question
from tests.chaos.relay import Relay
from tests.servers.postgres import Postgres
from tests.servers.vendors import NOW, Setup, connection_setting, vendor

BREAKER = {"window": "2s", "open_time": "200ms", "longest_open_time": "2s"}
"""Short, so that recovery is quick, and what was before a fault is soon forgotten."""
REMEMBERED = "200ms"
"""Mappings of ids: so short that a fault of the identity database shows."""
_ANYWHERE = ("127.0.0.1", 0)
_PG_SOCKET = ".s.PGSQL.5432"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one lane leans on."""

    relay: Relay | None
    token_relay: Relay | None = None
    identity_relay: Relay | None = None
    database: Path | None
    vendor: SimulatedVendor | None = None
    connection: Mapping[str, Any]
    """Its part of the configuration."""


def host(lane: str) -> str:
    return f"{lane}.chaos.example"


def session(answer_s: float) -> aiohttp.ClientSession:
    """A pod that never queues by itself."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
        timeout=aiohttp.ClientTimeout(total=answer_s),
    )


def request(question: Question) -> tuple[str, str, Any]:
    """Method, path and body."""
    ids = [str(customer_id(question.tenant, number)) for number in question.numbers]
    if question.kind == "account":
        return "GET", f"/v1/customers/{ids[0]}/billing-account", None
    path = "/v1/revenue-at-risk" if question.kind == "revenue" else "/v1/disputes"
    return "POST", path, {"customer_ids": ids}


def write_whole(path: Path, text: str) -> None:
    """Nobody ever reads half of it."""
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text)
    draft.replace(path)


@asynccontextmanager
async def parts(
    folder: Path, postgres: Postgres | None, shapes: Sequence[Shape]
) -> AsyncIterator[Mapping[str, Part]]:
    """All that the sidecar needs, running; its configuration is written into the folder."""
    await asyncio.to_thread(_write_certificates, folder)
    write_whole(folder / "names.json", json.dumps({host(one): "127.0.0.1" for one in SHAPES}))
    seeded = await _seeded(folder, postgres)
    with tempfile.TemporaryDirectory(prefix="chaos") as sockets:
        async with AsyncExitStack() as stack:
            made: dict[str, Part] = {}
            for shape in shapes:
                database = _Database(shape, folder, Path(sockets), postgres, seeded)
                made[shape] = await _vendor_part(shape, folder, database, stack)
            made["local"] = await _local_part(
                _Database("local", folder, Path(sockets), postgres, seeded), stack
            )
            (folder / "sidecar.yaml").write_text(json.dumps(_settings(made), indent=2))
            yield made


def _write_certificates(folder: Path) -> None:
    """What all need, and leaves that no sidecar should take: `<what is wrong>.pem` + `.key`."""
    names = (*(host(shape) for shape in SHAPES), *LOOPBACK_NAMES)
    ours, stranger = (Authority.create(name, now=NOW) for name in ("Chaos CA", "Stranger CA"))
    ours.write(folder)
    ours.issue_client(DEMO_CLIENT).write(folder, "client")
    stranger.write(folder / "stranger")
    day = timedelta(days=1)
    past = Validity(not_before=NOW - 2 * day, not_after=NOW - day)
    future = Validity(not_before=NOW + day, not_after=NOW + 2 * day)
    for name, leaf in {
        "server": ours.issue_server(names),
        "expired": ours.issue_server(names, validity=past),
        "not_yet_valid": ours.issue_server(names, validity=future),
        "of_another_name": ours.issue_server(("elsewhere.example",)),
        "of_a_stranger": stranger.issue_server(names),
    }.items():
        leaf.write(folder, name)


def trust_bundle(folder: Path, lane: str) -> Path:
    """Whom the sidecar trusts on this lane: a file of its own, which a rotation may replace."""
    return folder / f"{lane}-trust.pem"


@dataclass(frozen=True, slots=True)
class _Database:
    """One lane's way to a database with everybody's rows: a relay to PostgreSQL, or a file."""

    name: str
    folder: Path
    sockets: Path
    postgres: Postgres | None
    seeded: Path

    @property
    def dsn_file(self) -> Path:
        return self.folder / f"{self.name}-dsn"

    async def open(self, stack: AsyncExitStack) -> tuple[Relay | None, Path | None]:
        if self.postgres is None:
            file = self.folder / f"{self.name}.db"
            await asyncio.to_thread(shutil.copy, self.seeded, file)
            write_whole(self.dsn_file, f"sqlite+aiosqlite:///{file}")
            return None, file
        own = self.sockets / self.name
        own.mkdir()
        relay = Relay(own / _PG_SOCKET, to=self.postgres.folder / _PG_SOCKET)
        await stack.enter_async_context(relay)
        write_whole(self.dsn_file, f"postgresql+asyncpg://pedkai@/postgres?host={own}")
        return relay, None


async def _seeded(folder: Path, postgres: Postgres | None) -> Path:
    file = folder / "pedkai.db"
    url = postgres.url() if postgres else f"sqlite+aiosqlite:///{file}"
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(pedkai.schema.drop_all)
        await pedkai.seed(engine, now=NOW)
    finally:
        await engine.dispose()
    return file


async def _vendor_part(
    shape: Shape, folder: Path, database: _Database, stack: AsyncExitStack
) -> Part:
    setup = Setup(shape=shape, wire={"concurrency": 16})
    running = await stack.enter_async_context(vendor(setup, folder))
    to = "127.0.0.1", running.port
    relay = await stack.enter_async_context(Relay(_ANYWHERE, to=to))
    token_relay = await stack.enter_async_context(Relay(_ANYWHERE, to=to))
    running.reached_at = f"https://{host(shape)}:{relay.port}"
    identity_relay, file = await database.open(stack)
    setting = connection_setting(setup, running, folder).model_dump(
        mode="json", exclude_unset=True, exclude_none=True
    )
    setting["base_url"] = running.reached_at + BASE_PATHS[shape]
    bundle = trust_bundle(folder, shape)
    write_whole(bundle, (folder / "ca.pem").read_text())
    setting["tls"]["trust_bundle_file"] = str(bundle)
    setting["oauth2"]["token_url"] = f"https://{host(shape)}:{token_relay.port}{TOKEN_PATHS[shape]}"
    setting["identity"] = {
        "kind": "pedkai_db", "dsn_file": str(database.dsn_file), "remember": REMEMBERED,
    }  # fmt: skip
    return Part(
        relay=relay,
        token_relay=token_relay,
        identity_relay=identity_relay,
        database=file,
        vendor=running,
        connection=setting,
    )


async def _local_part(database: _Database, stack: AsyncExitStack) -> Part:
    relay, file = await database.open(stack)
    setting = {"vendor": "local", "database": {"dsn_file": str(database.dsn_file)}}
    return Part(relay=relay, database=file, connection=setting)


def _settings(made: Mapping[str, Part]) -> dict[str, Any]:
    guard = {"breaker": BREAKER}
    return {
        "schema_version": 1,
        "listeners": {name: {"port": 0} for name in ("data", "ops", "admin")},
        "logging": {"level": "info", "format": "json"},
        "cache": {"store": "off"},  # each question reaches the vendor whose fault it is
        "connections": {name: {**part.connection, "guard": guard} for name, part in made.items()},
        "tenants": {f"{name}_demo": {"connection": name} for name in made},
    }
