"""The two listeners that are not asked questions."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from prometheus_client import CollectorRegistry, Counter

from proxy.guard.switch import Forced
from proxy.http.admin import AdminRoutes, content
from proxy.http.door import Door
from proxy.http.gate import Gate
from proxy.http.ops import OpsRoutes
from proxy.http.page import page
from proxy.http.ports import NoSuchThing, Status
from tests.unit.http.doubles import NOW, Client, serving

STATUS = Status(
    version="1.2.3",
    started=NOW,
    ready=True,
    configuration="outdated",
    problems=[{"path": "tenants.<b>", "remedy": "write a & b"}],
    listeners={"data": "http://127.0.0.1:8650"},
    connections={"vendor": {"vendor": "mock", "in_flight": 0}},
    tenants={"acme": "vendor"},
)


class OperatorDouble:
    """Has one connection with one breaker."""

    def __init__(self) -> None:
        self.forced: Forced = None
        self.asked: list[tuple[str, str, Forced, str]] = []

    def force(
        self, connection: str, breaker: str, forced: Forced, *, correlation_id: str
    ) -> Mapping[str, object]:
        self.asked.append((connection, breaker, forced, correlation_id))
        if connection != "vendor":
            raise NoSuchThing("connection", ["vendor"])
        if breaker != "vendor":
            raise NoSuchThing("breaker", ["vendor"])
        return {"state": f"forced_{forced}" if forced else "closed"}


@dataclass
class Readiness:
    obstacle: str | None = None

    def __call__(self) -> str | None:
        return self.obstacle


@asynccontextmanager
async def ops(readiness: Readiness) -> AsyncIterator[Client]:
    registry = CollectorRegistry()
    Counter("answers", "…", registry=registry).inc()
    routes = OpsRoutes(registry, readiness).routes()
    door = Door("ops", routes, on_refusal=lambda _one: None, on_error=lambda _one: None)
    gate = Gate(loopback_host=False, own_origin=False)
    async with serving(door, gate) as client:
        yield client


@asynccontextmanager
async def admin(status: Status, operator: OperatorDouble | None = None) -> AsyncIterator[Client]:
    routes = AdminRoutes(lambda: status, operator or OperatorDouble()).routes()
    door = Door("admin", routes, on_refusal=lambda _one: None, on_error=lambda _one: None)
    async with serving(door, Gate(loopback_host=True)) as client:
        yield client


async def test_alive_and_ready_are_two_things() -> None:
    readiness = Readiness()
    async with ops(readiness) as client:
        async with client.ask("GET", "/readyz", headers={"Host": "10.1.2.3:8651"}) as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ready"})
        readiness.obstacle = "it is stopping"
        async with client.ask("GET", "/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["because"] == "it is stopping"
        async with client.ask("GET", "/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "alive"})


async def test_the_metrics_are_those_of_the_given_registry() -> None:
    async with ops(Readiness()) as client, client.ask("GET", "/metrics") as answer:
        assert answer.content_type == "text/plain"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "answers_total 1.0" in await answer.text()


@pytest.mark.parametrize("path", ["/", "/v1/status", "/openapi.json", "/v1/revenue-at-risk"])
async def test_ops_has_no_routes_of_the_others(path: str) -> None:
    async with ops(Readiness()) as client, client.ask("GET", path) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/openapi.json", "/v1/disputes"])
async def test_admin_has_no_routes_of_the_others(path: str) -> None:
    async with admin(STATUS) as client, client.ask("GET", path) as answer:
        assert answer.status == 404


async def test_the_status_is_json_for_programs() -> None:
    async with admin(STATUS) as client, client.ask("GET", "/v1/status") as answer:
        status = await answer.json()
    assert status == json.loads(json.dumps(content(STATUS)))
    assert status["configuration"]["state"] == "outdated"
    assert status["tenants"] == {"acme": "vendor"}


async def test_the_page_runs_nothing_loads_nothing_and_is_framed_by_nobody() -> None:
    async with admin(STATUS) as client, client.ask("GET", "/") as answer:
        text = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
        assert answer.content_type == "text/html"
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script|<link|<img|https?://(?!127)", text)
    assert "tenants.&lt;b&gt;" in text
    assert "write a &amp; b" in text
    assert "vendor: mock, in_flight: 0" in text


async def test_the_admin_listener_refuses_pages_and_hosts_of_elsewhere() -> None:
    async with admin(STATUS) as client:
        for headers in (
            {"Host": "evil.example"},
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            async with client.ask("GET", "/", headers=headers) as answer:
                assert answer.status == 403


def test_a_page_without_problems_has_no_heading_for_them() -> None:
    assert "Problems" in page(STATUS)
    assert "Problems" not in page(replace(STATUS, problems=[]))
    assert "not ready" in page(replace(STATUS, ready=False))


def test_a_door_needs_no_loop_that_runs() -> None:
    """Routes are made where the parts of the sidecar are put together."""
    door = Door("ops", (), on_refusal=lambda _one: None, on_error=lambda _one: None)
    assert asyncio.run(door.drain(1)) is True


def test_the_page_shows_the_cache_and_what_is_wrong_with_its_store() -> None:
    breaker = {"state": "open", "because": "unreachable: <no answer>"}
    cache = {"store": "redis", "problem": "", "entries": None, "breakers": {"reads": breaker}}
    text = page(replace(STATUS, cache=cache))
    assert "<td>store</td><td>redis</td>" in text
    assert "open: nothing leaves; unreachable: &lt;no answer&gt;" in text
    assert "problem" not in text, "what is empty says nothing"
    assert "Cache" not in page(STATUS)
