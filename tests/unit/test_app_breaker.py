"""A vendor fails: what the operator of a whole sidecar sees, does, and what a reload keeps."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from prometheus_client import generate_latest

from proxy.breaker_command import Wish, run_breaker
from tests.unit.test_app import MOCK, Bench, bench_in

FORCE = "/v1/connections/live/breaker"


class Vendor:
    """Answers everybody with an error, and counts them."""

    def __init__(self) -> None:
        self.asked = 0
        self.url = ""
        self.status = 500
        self.headers: dict[str, str] = {}

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.asked += 1
        return web.Response(status=self.status, headers=self.headers)


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    vendor = Vendor()
    server = web.Server(vendor.answer)
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    vendor.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    try:
        yield vendor
    finally:
        listening.close()
        await server.shutdown(0.1)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_in(tmp_path) as one:
        yield one


def live(vendor: Vendor, **wire: Any) -> dict[str, Any]:
    breaker = {"minimum_calls": 3, "open_time": "5m", "longest_open_time": "10m"}
    connection = {
        "vendor": "amdocs",
        "base_url": vendor.url,
        "insecure": True,
        "wire": wire,
        "guard": {"breaker": breaker, "retry": {"attempts": 1}},
    }
    return MOCK | {
        "connections": {"live": connection},
        "tenants": {"live_demo": {"connection": "live"}},
    }


async def asked(bench: Bench) -> str | None:
    """What a question says of why its answer is degraded."""
    _, degraded = await bench.revenue(UUID(int=1), tenant="live_demo")
    return degraded


async def breakers(bench: Bench) -> dict[str, Any]:
    _, _, status = await bench.ask("GET", "/v1/status", door="admin", tenant="")
    found: dict[str, Any] = status["connections"]["live"]["breakers"]
    return found


async def history(bench: Bench) -> dict[str, Any]:
    _, _, status = await bench.ask("GET", "/v1/status", door="admin", tenant="")
    found: dict[str, Any] = status["connections"]["live"]["history"]
    return found


async def force(bench: Bench, **content: Any) -> tuple[int, Any]:
    status, _, answer = await bench.ask("POST", FORCE, door="admin", tenant="", json=content)
    return status, answer


async def test_a_failing_vendor_is_left_alone_and_everything_says_so(
    bench: Bench, vendor: Vendor
) -> None:
    await bench.configure(live(vendor))
    assert (await breakers(bench))["vendor"]["state"] == "closed"
    for _ in range(3):
        assert await asked(bench) == "vendor_error;unavailable=1"
    assert await asked(bench) == "breaker_open;unavailable=1"
    assert vendor.asked == 3
    shown = (await breakers(bench))["vendor"]
    assert shown["state"] == "open"
    assert shown["because"].startswith("vendor_error: 3 of 3 exchanges failed")
    _, _, status = await bench.ask("GET", "/v1/status", door="admin", tenant="")
    assert [one["what"] for one in status["attention"]] == [
        "Nothing is sent to the vendor: its breaker is open"
    ]
    (line,) = [line for line in bench.lines if line["event"] == "breaker"]
    assert (line["level"], line["connection"], line["breaker"]) == ("warning", "live", "vendor")
    assert 200 < line["for_s"] < 400
    figures = generate_latest(bench.telemetry.metrics.registry).decode()
    for one in (
        'breaker_state{breaker="vendor",connection="live",state="open"} 1.0',
        'breaker_state{breaker="vendor",connection="live",state="closed"} 0.0',
        'breaker_opened_total{breaker="vendor",connection="live"} 1.0',
        'exchanges_total{connection="live",outcome="vendor_error"} 3.0',
        'exchanges_total{connection="live",outcome="breaker_open"} 1.0',
        'exchange_duration_seconds_count{connection="live"} 3.0',
        'exchanges_in_flight{connection="live"} 0.0',
        'concurrency_limit{connection="live"} 32.0',
        "flights 0.0",
    ):
        assert f"bss_sidecar_{one}" in figures


async def test_what_is_forced_is_so_at_once_and_until_it_is_given_back(
    bench: Bench, vendor: Vendor
) -> None:
    await bench.configure(live(vendor))
    status, answer = await force(bench, force="open")
    assert (status, answer["state"]) == (200, "forced_open")
    assert answer == (await breakers(bench))["vendor"]
    assert await asked(bench) == "breaker_open;unavailable=1"
    assert vendor.asked == 0
    status, answer = await force(bench, force="closed", breaker="vendor")
    assert (status, answer["state"]) == (200, "forced_closed")
    for _ in range(5):
        assert await asked(bench) == "vendor_error;unavailable=1"
    assert vendor.asked == 5
    _, answer = await force(bench, force=None)
    assert not answer["state"].startswith("forced")
    assert answer["forced_since"] is None
    events = [line["event"] for line in bench.lines if line["event"].startswith("breaker_")]
    assert events == ["breaker_forced", "breaker_forced", "breaker_released"]


async def test_a_reload_does_not_undo_what_an_operator_did(bench: Bench, vendor: Vendor) -> None:
    await bench.configure(live(vendor))
    _, before = await force(bench, force="open")
    await bench.configure(live(vendor, concurrency=8))
    after = (await breakers(bench))["vendor"]
    assert (after["state"], after["forced_since"]) == ("forced_open", before["forced_since"])
    assert await asked(bench) == "breaker_open;unavailable=1"
    assert vendor.asked == 0


async def test_a_reload_does_not_cut_short_what_the_vendor_asked_for(
    bench: Bench, vendor: Vendor
) -> None:
    vendor.status, vendor.headers = 429, {"Retry-After": "60"}
    await bench.configure(live(vendor))
    assert await asked(bench) == "rate_limited;unavailable=1"
    await bench.configure(live(vendor, concurrency=8))
    assert await asked(bench) == "rate_limited;unavailable=1"
    assert vendor.asked == 1
    moved = live(vendor)
    moved["connections"]["live"]["base_url"] += "elsewhere/"
    await bench.configure(moved)
    await asked(bench)
    assert vendor.asked == 2, "who is elsewhere has asked for nothing"


async def test_what_is_not_there_is_404(bench: Bench, vendor: Vendor) -> None:
    await bench.configure(live(vendor))
    status, problem = await force(bench, force="open", breaker="token")
    assert (status, problem["detail"]) == (404, "there are: vendor")
    url = "/v1/connections/liv/breaker"
    content = {"force": "open"}
    status, _, problem = await bench.ask("POST", url, door="admin", tenant="", json=content)
    assert (status, problem["detail"]) == (404, "there are: live")


async def test_without_a_configuration_there_is_nothing_to_force(bench: Bench) -> None:
    await bench.configure(None)
    status, problem = await force(bench, force="open")
    assert (status, problem["detail"]) == (404, "there are: none")


async def test_the_command_does_the_same(bench: Bench, vendor: Vendor) -> None:
    await bench.configure(live(vendor))
    admin = str(bench.sidecar.addresses()["admin"])
    for wanted, state in (("open", "forced_open"), ("closed", "forced_closed"), ("auto", "closed")):
        out, err = io.StringIO(), io.StringIO()
        wish = Wish(connection="live", wanted=wanted, admin=admin, json=True)
        code = await asyncio.to_thread(run_breaker, wish, env={}, out=out, err=err)
        assert (code, err.getvalue()) == (0, "")
        assert json.loads(out.getvalue())["state"] == state
        assert (await breakers(bench))["vendor"]["state"] == state


async def test_a_breaker_that_a_reload_made_anew_is_closed_in_the_history_and_opens_as_news(
    bench: Bench, vendor: Vendor
) -> None:
    await bench.configure(live(vendor))
    for _ in range(3):
        await asked(bench)
    assert set((await history(bench))["not_closed_since"]) == {"vendor"}
    await bench.configure(live(vendor, concurrency=3))
    assert (await breakers(bench))["vendor"]["state"] == "closed"
    assert (await history(bench))["not_closed_since"] == {}
    for _ in range(3):
        await asked(bench)
    states = [one["state"] for one in (await history(bench))["changes"]]
    assert states == ["open", "closed", "open"]
    told = [line for line in bench.lines if line["event"] == "breaker"]
    assert [(line["level"], line["state"]) for line in told] == [
        ("warning", "open"),
        ("info", "closed"),
        ("warning", "open"),
    ]
