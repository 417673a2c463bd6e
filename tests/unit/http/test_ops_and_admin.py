"""The two listeners that are not asked questions."""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry, Counter

from proxy.guard.switch import Forced
from proxy.http.admin import AdminRoutes, Extension, content
from proxy.http.door import Door
from proxy.http.gate import Gate
from proxy.http.ops import OpsRoutes
from proxy.http.page import load
from proxy.http.ports import NoSuchThing, Status
from tests.unit.http.doubles import NOW, Client, serving

STATUS = Status(
    version="1.2.3",
    started=NOW,
    now=NOW,
    ready=True,
    configuration="outdated",
    problems=[{"path": "tenants.<b>", "remedy": "write a & b"}],
    listeners={"data": "http://127.0.0.1:8650"},
    connections={"vendor": {"vendor": "mock", "in_flight": 0}},
    tenants={"acme": "vendor"},
)


class ReporterDouble:
    """Says what it is given, and notes what it was asked for."""

    def __init__(self, status: Status) -> None:
        self.status = status
        self.asked: list[int | None] = []

    def __call__(self, *, since: int | None = None) -> Status:
        self.asked.append(since)
        return self.status


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
async def admin(
    status: Status | ReporterDouble,
    operator: OperatorDouble | None = None,
    extension: Extension | None = None,
) -> AsyncIterator[Client]:
    reporter = ReporterDouble(status) if isinstance(status, Status) else status
    routes = AdminRoutes(reporter, operator or OperatorDouble(), extension).routes()
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


@pytest.mark.parametrize("since", [0, 12345])
async def test_the_history_is_told_from_the_bucket_that_is_asked_for(since: int) -> None:
    reporter = ReporterDouble(STATUS)
    async with admin(reporter) as client:
        async with client.ask("GET", f"/v1/status?since={since}") as answer:
            assert answer.status == 200
        async with client.ask("GET", "/v1/status") as answer:
            assert answer.status == 200
    assert reporter.asked == [since, None]


@pytest.mark.parametrize("query", ["since=", "since=-1", "since=1e3", "since=٣", "since=1&since=2"])
async def test_a_bucket_that_is_no_number_is_refused(query: str) -> None:
    async with admin(STATUS) as client, client.ask("GET", f"/v1/status?{query}") as answer:
        assert answer.status == 400


async def test_the_page_runs_and_shows_only_what_its_policy_names_by_hash() -> None:
    async with admin(STATUS) as client, client.ask("GET", "/") as answer:
        text = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
        assert answer.content_type == "text/html"
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for tag, rule in (("script", "script-src"), ("style", "style-src")):
        (inside,) = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"
    assert rules["frame-ancestors"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert "unsafe" not in policy


async def test_the_page_names_no_other_place_and_makes_nothing_of_markup() -> None:
    text = load().text
    places = set(re.findall(r"https?://[^\s\"'<`]+", text))
    assert places == {"http://www.w3.org/2000/svg"}, "a name, which nobody asks"
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    assert not re.search(r"\sstyle=|\son[a-z]+=\"", text)


async def test_only_an_extension_brings_more_onto_the_page_and_its_policy_names_it() -> None:
    extension = Extension(script="play();")
    async with admin(STATUS, extension=extension) as client, client.ask("GET", "/") as answer:
        assert "play();" in await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert "play();" not in load().text
    assert policy != load().policy


async def test_the_admin_listener_refuses_pages_and_hosts_of_elsewhere() -> None:
    async with admin(STATUS) as client:
        for headers in (
            {"Host": "evil.example"},
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            async with client.ask("GET", "/", headers=headers) as answer:
                assert answer.status == 403


def test_a_door_needs_no_loop_that_runs() -> None:
    """Routes are made where the parts of the sidecar are put together."""
    door = Door("ops", (), on_refusal=lambda _one: None, on_error=lambda _one: None)
    assert asyncio.run(door.drain(1)) is True
