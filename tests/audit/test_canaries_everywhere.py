"""One real sidecar with everything switched on, one run with every fault, and nothing personal or
secret in any place where somebody may look.

The places: its log at every level, standard error, the audit trail and its former files, metrics,
status, the page, readiness, problems, what the vendors are told in headers, spans, and Redis. What
objects and exceptions show is in `tests/integration/test_canaries_inside.py`, and what a dump of
Redis shows in any encoding in `test_cache_canaries.py`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from adapters.simulator.population import SHAPES, customer_id
from proxy.cache.keys import new_key
from tests.integration.spilling import EVERY_FAULT, NO_HTTP
from tests.servers.canaries import MARK, Canaries
from tests.servers.redis import RedisServer
from tests.servers.redis_kinds import running_kind
from tests.servers.rude import RudeVendor
from tests.servers.secretive import BROKEN, ENVIRONMENT, canaries_of, secretive
from tests.servers.sidecar import Demonstration, Reply, Stage, served

BATCH = (0, 5, 6, 7, 8, 9)
FORGET = {"Content-Type": "application/json"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(slots=True)
class Collector:
    """Takes spans, as an OpenTelemetry collector does."""

    url: str = ""
    taken: list[bytes] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.BaseRequest) -> web.Response:
        self.taken.append(await request.read())
        self.came.set()
        return web.Response()


@dataclass(frozen=True, slots=True)
class Everything:
    running: Demonstration
    rude: RudeVendor
    redis: RedisServer
    collector: Collector
    canaries: Canaries
    problems: list[str] = field(default_factory=list)
    sums: Canaries = field(default_factory=Canaries)
    """Aggregates of five customers or more: for the audit trail, and nowhere else."""

    async def ask(self, tenant: str) -> list[Reply]:
        """All that can be asked, of customers whose data are easy to find again."""
        ids = [str(customer_id(tenant, number)) for number in BATCH]
        named = {
            "X-Tenant-ID": tenant,
            "X-Request-Timeout-Ms": "250",
            "X-Correlation-ID": "run+447700900123",
        }
        pod, batch = self.running.data, {"customer_ids": ids}
        replies = await asyncio.gather(
            *(
                pod.ask("GET", f"/v1/customers/{one}/billing-account", headers=named)
                for one in ids[2:]
            ),
            pod.ask("POST", "/v1/revenue-at-risk", headers=named, json=batch),
            pod.ask("POST", "/v1/disputes", headers=named, json=batch),
            pod.ask("DELETE", f"/v1/customers/{ids[0]}/cache", headers={**named, **FORGET}),
        )
        for reply in replies:
            if reply.status == 200 and b"customer_ids" not in reply.body:
                told = reply.json()
                enough = told.get("priced_customer_count", 0) >= 5
                (self.sums if enough else self.canaries).add_answer(reply.body)
            elif reply.status >= 400:
                self.problems.append(f"{reply.headers} {reply.body.decode()}")
        return replies

    async def places(self) -> Mapping[str, str]:
        """Wherever somebody may look, and what is there."""
        folder = self.running.stage.folder
        places = {
            name: await asyncio.to_thread(_text, folder / name) for name in ("stdout", "stderr")
        }
        trail = sorted(folder.glob("audit.jsonl*"))
        places["audit"] = "".join([await asyncio.to_thread(_text, one) for one in trail])
        for listener, path in (
            ("ops", "/metrics"),
            ("ops", "/readyz"),
            ("admin", "/"),
            ("admin", "/v1/status"),
        ):
            reply = await self.running.pods[listener].ask("GET", path)
            places[path] = f"{reply.headers} {reply.body.decode()}"
        places["problems"] = "\n".join(self.problems)
        places["spans"] = b"".join(self.collector.taken).decode("latin-1")
        names = self.redis.tell("KEYS", "*")
        values = self.redis.tell("MGET", *names) if names else []
        places["redis"] = b"\n".join([*names, *(one or b"" for one in values)]).decode("latin-1")
        places["headers"] = "\n".join(
            f"{one.correlation_id} {one.traceparent} {one.tracestate}"
            for vendor in self.running.vendors.values()
            for one in vendor.traffic.requests
        )
        return places

    async def search(self) -> Mapping[str, str]:
        for vendor in self.running.vendors.values():
            assert vendor.tokens is not None
            self.canaries.texts |= set(vendor.tokens._expiry)
        places = await self.places()
        found = {name: self.canaries.found_in(text) for name, text in places.items()}
        for name, text in places.items():
            if name != "audit":
                found[name] |= self.sums.found_in(text)
        assert {name: one for name, one in found.items() if one} == {}
        return places


def _text(file: Path) -> str:
    return file.read_text(errors="replace")


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    runner = web.ServerRunner(web.Server(collector.take))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield collector
    finally:
        await runner.cleanup()


def _switch_everything_on(stage: Stage, redis: RedisServer, keys: Mapping[str, str]) -> None:
    settings: dict[str, Any] = json.loads(stage.configuration.read_text())
    for name, key in keys.items():
        (stage.folder / f"{name}-keys").write_text(f"{key}\n")
    settings["audit"] = {
        "sink": "file",
        "file": str(stage.folder / "audit.jsonl"),
        "file_size": "64KiB",
        "former_files": 100,
    }
    settings["metrics"] = {"by_tenant": True}
    settings["cache"] = {
        "store": "redis",
        "read_budget": "100ms",
        "master_keys_file": str(stage.folder / "master-keys"),
        "name_keys_file": str(stage.folder / "name-keys"),
        "redis": {"url": redis.url},
    }
    stage.configuration.write_text(json.dumps(settings))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everything(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Everything]:
    keys = {"master": new_key(), "name": new_key()}
    with running_kind("tcp") as kind:
        folder = tmp_path_factory.mktemp("stage")
        async with secretive(folder) as (stage, rude), collecting() as collector:
            _switch_everything_on(stage, kind.servers[0], keys)
            canaries = canaries_of(stage)
            for key in keys.values():
                canaries.add_secret(key)
            env = {
                **ENVIRONMENT,
                "PYTHONWARNINGS": "default",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                "OTEL_BSP_SCHEDULE_DELAY": "100",
            }
            async with served(stage, env=env) as running:
                made = Everything(running, rude, kind.servers[0], collector, canaries)
                yield made
            assert canaries.found_in(_text(stage.folder / "stdout")) == set()
            assert (stage.folder / "stderr").read_text() == ""


async def test_a_full_run_with_every_fault_gives_nothing_away_anywhere(
    everything: Everything,
) -> None:
    told = [await everything.ask(f"{shape}_demo") for shape in (*SHAPES, "local")]
    assert any(MARK in reply.body.decode() for replies in told for reply in replies)
    await everything.search()
    for name in BROKEN[1:]:
        await everything.ask(f"{name}_demo")
    for said in NO_HTTP.values():
        everything.rude.says = said.encode()
        await everything.ask("rude_demo")
    await everything.search()
    for fault in EVERY_FAULT.values():
        for vendor in everything.running.vendors.values():
            if fault.where == "token" and vendor.tokens is not None:
                vendor.tokens.revoke_all()
            await vendor.faults.set(fault)
        try:
            await asyncio.gather(*(everything.ask(f"{shape}_demo") for shape in SHAPES))
        finally:
            for vendor in everything.running.vendors.values():
                await vendor.faults.clear()
        await everything.search()
    places = await everything.search()
    assert set(places) == {
        "stdout", "stderr", "audit", "/metrics", "/readyz", "/", "/v1/status", "problems", "spans",
        "redis", "headers",
    }  # fmt: skip
    assert [name for name, text in places.items() if not text] == ["stderr"]
    await each_question_was_told_once(everything, places)


async def each_question_was_told_once(everything: Everything, places: Mapping[str, str]) -> None:
    """By log and trail alike, at INFO, and without the phone number that was sent as its id."""
    logged = [json.loads(line) for line in places["stdout"].splitlines()]
    trail = [json.loads(line) for line in places["audit"].splitlines()]
    questions = [line for line in logged if line["event"] == "question"]
    audited = [line for line in trail if line["outcome"] != "refused"]
    assert len(questions) > 200
    assert {line["level"] for line in questions} == {"info"}
    assert {line["question"] for line in questions} == {line["question"] for line in audited}
    assert "447700900123" not in places["audit"]
    assert {line["level"] for line in logged} >= {"debug", "info", "warning"}
    sums = [line for line in trail if "total_revenue_at_risk" in line]
    assert sums
    assert all(line["priced_customer_count"] >= 5 for line in sums)
    assert everything.sums.found_in(places["audit"]) - {MARK.lower()}


async def test_what_is_searched_would_be_found(everything: Everything) -> None:
    """A search that finds nothing proves nothing, unless it finds what is there."""
    reply = await everything.running.data.account("local_demo", customer_id("local_demo", 6))
    assert everything.canaries.found_in(reply.body.decode())
    for secret in (MARK, str(customer_id("csg_demo", 7)), *ENVIRONMENT.values()):
        assert everything.canaries.found_in(f"x{secret}y")
