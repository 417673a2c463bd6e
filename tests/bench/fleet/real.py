"""Real sidecars as processes, before a real Redis and a vendor that can do so much and no more."""

import asyncio
import json
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from adapters.simulator.certificates import write_demo_certificates
from proxy.cache.keys import new_key
from tests.bench.fleet.plan import Plan
from tests.bench.vendor import FIGURES_PATH, TOKEN_PATH
from tests.bench.vendor_rows import customer, vendor_id
from tests.servers.pedkai import Customer, on_sqlite
from tests.servers.redis import RedisServer

TENANT = "tenant_0"
READY_S = 120.0
QUERIES = "bss_sidecar_identity_requests_total{"
COUNTED = ("mget", "set", "del", "get")
"""Commands that the simulation counts; others set up connections."""


@dataclass(frozen=True, slots=True)
class RealFleet:
    session: aiohttp.ClientSession
    sidecars: Sequence[str]
    """The data listener of each."""
    ops: Sequence[str]
    """The ops listener of each."""
    vendor: str
    tls: ssl.SSLContext
    redis: RedisServer

    @property
    def size(self) -> int:
        return len(self.sidecars)

    async def ask(self, number: int, customers: Sequence[int]) -> bool:
        """Whether the answer was whole."""
        body = {"customer_ids": [str(customer(one)) for one in customers]}
        url = f"{self.sidecars[number]}/v1/revenue-at-risk"
        async with self.session.post(url, json=body) as reply:
            await reply.read()
            reply.raise_for_status()
            return "BSS-Degraded" not in reply.headers

    async def figures(self) -> Mapping[str, float]:
        """What the vendor counted."""
        async with self.session.get(self.vendor + FIGURES_PATH, ssl=self.tls) as reply:
            told: Mapping[str, float] = await reply.json(content_type=None)
            return told

    async def identity_queries(self) -> float:
        """Sent to the database by all of them."""
        return sum(await asyncio.gather(*map(self._queries, self.ops)))

    async def until_warm(self, connections: int) -> None:
        """So many are open to the vendor, besides the one that is asked with."""
        async with asyncio.timeout(READY_S):
            while (await self.figures())["handshakes"] <= connections:  # noqa: ASYNC110  (another process)
                await asyncio.sleep(0.05)

    async def _queries(self, url: str) -> float:
        async with self.session.get(f"{url}/metrics") as reply:
            lines = (await reply.text()).splitlines()
        return sum(float(one.rpartition(" ")[2]) for one in lines if one.startswith(QUERIES))

    def redis_operations(self) -> float:
        stats = self.redis.tell("INFO", "commandstats")
        return sum(int(stats.get(f"cmdstat_{one}", {}).get("calls", 0)) for one in COUNTED)


@asynccontextmanager
async def real_fleet(folder: Path, plan: Plan) -> AsyncIterator[RealFleet]:
    write_demo_certificates(folder, now=datetime.now(tz=UTC))  # noqa: TID251  (an edge)
    (folder / "client-secret").write_text("a secret of the measurements", encoding="utf-8")
    for name in ("master", "names"):
        (folder / name).write_text(new_key() + "\n", encoding="utf-8")
    await _database(folder, plan)
    redis = RedisServer(folder, ["--save", "", "--appendonly", "no"])
    async with AsyncExitStack() as stack:
        redis.start()
        stack.callback(redis.kill)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        port = await _vendor(folder, plan, stack)
        setting = _setting(folder, plan, port, redis)
        listeners = [
            await _sidecar(folder, number, setting, stack) for number in range(plan.sidecars)
        ]
        for one in listeners:
            await _until_ready(session, f"{one[1]}/readyz")
        tls = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        tls.load_cert_chain(folder / "client.pem", folder / "client.key")
        data, ops = zip(*listeners, strict=True)
        fleet = RealFleet(session, data, ops, f"https://localhost:{port}", tls, redis)
        await fleet.until_warm(plan.warm * plan.sidecars)
        yield fleet


async def _database(folder: Path, plan: Plan) -> None:
    """Pedkai's, with the vendor's ids of those who are asked about."""
    database = on_sqlite(folder / "pedkai.db")
    numbers = range(plan.demand.customers)
    await database.fill(*(Customer(customer(one), TENANT, vendor_id(one)) for one in numbers))
    (folder / "dsn").write_text(database.url, encoding="utf-8")


async def _vendor(folder: Path, plan: Plan, stack: AsyncExitStack) -> int:
    world = plan.world
    process = await _started(
        stack,
        ("-m", "tests.bench.fleet.limited_vendor", "--certificates", str(folder), "--latency-s",
         str(world.vendor_latency_s), "--per-s", str(world.vendor_calls_per_s)),
        folder / "vendor.log",
    )  # fmt: skip
    if process.stdout is None:
        raise RuntimeError("the vendor has no output")
    port: int = json.loads(await process.stdout.readline())["ports"][0]
    return port


async def _sidecar(
    folder: Path, number: int, setting: Mapping[str, Any], stack: AsyncExitStack
) -> tuple[str, str]:
    data, ops, admin = _free_ports(3)
    ports = {"data": {"port": data}, "ops": {"port": ops}, "admin": {"port": admin}}
    file = folder / f"sidecar-{number}.yaml"
    file.write_text(yaml.safe_dump({**setting, "listeners": ports}), encoding="utf-8")
    await _started(stack, ("-P", "-m", "proxy", "serve", str(file)), folder / f"{number}.log")
    return f"http://127.0.0.1:{data}", f"http://127.0.0.1:{ops}"


async def _started(
    stack: AsyncExitStack, arguments: Sequence[str], log: Path
) -> asyncio.subprocess.Process:
    with log.open("wb") as said:
        is_vendor = log.name.startswith("vendor")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdout=asyncio.subprocess.PIPE if is_vendor else said,
            stderr=said,
        )
    stack.push_async_callback(_end, process)
    return process


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def _until_ready(session: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(READY_S):
        while True:
            try:
                async with session.get(url) as reply:
                    if reply.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


def _setting(folder: Path, plan: Plan, port: int, redis: RedisServer) -> Mapping[str, Any]:
    def file(name: str) -> str:
        return str(folder / name)

    root = f"https://localhost:{port}"
    oauth2 = {"token_url": root + TOKEN_PATH, "client_id": "pedkai-sidecar",
              "client_secret_file": file("client-secret")}  # fmt: skip
    tls = {"certificate_file": file("client.pem"), "key_file": file("client.key"),
           "trust_bundle_file": file("ca.pem")}  # fmt: skip
    return {
        "schema_version": 1,
        "logging": {"level": "warning", "format": "json"},
        "connections": {
            "amdocs": {
                "vendor": "amdocs",
                "base_url": f"{root}/",
                "tls": tls,
                "oauth2": oauth2,
                "identity": {"kind": "pedkai_db", "dsn_file": file("dsn")},
                "wire": {
                    "concurrency": plan.connection.wire.concurrency,
                    "warm_connections": plan.warm,
                },
            }
        },
        "tenants": {TENANT: {"connection": "amdocs"}},
        "default_tenant": TENANT,
        "cache": {
            "store": "redis",
            "master_keys_file": file("master"),
            "name_keys_file": file("names"),
            "redis": {"url": redis.unix_url},
        },
    }


def _free_ports(number: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    try:
        return [one.getsockname()[1] for one in taken]
    finally:
        for one in taken:
            one.close()
