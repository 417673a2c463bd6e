"""Databases that fail: what the pod and the operator of a whole sidecar see."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import generate_latest

from tests.servers.pedkai import Customer, account, customer, on_sqlite, plan
from tests.unit.test_app import MOCK, Bench, bench_in

TENANT = "live_demo"
GUARD = {"breaker": {"minimum_calls": 3, "open_time": "5m", "longest_open_time": "10m"}}
FORCE = "/v1/connections/live/breaker"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_in(tmp_path) as one:
        yield one


def with_live(connection: dict[str, Any]) -> dict[str, Any]:
    return MOCK | {
        "connections": {"live": connection | {"guard": GUARD | {"retry": {"attempts": 1}}}},
        "tenants": {TENANT: {"connection": "live"}},
    }


def local(dsn: str) -> dict[str, Any]:
    return with_live({"vendor": "local", "database": {"dsn": dsn}})


def mapped(dsn: str) -> dict[str, Any]:
    """A vendor whom nobody can reach, and a database of ids."""
    return with_live(
        {
            "vendor": "amdocs",
            "base_url": "http://127.0.0.1:1/",
            "insecure": True,
            "identity": {"kind": "pedkai_db", "dsn": dsn},
        }
    )


async def degraded(bench: Bench, one: UUID) -> str | None:
    _, why = await bench.revenue(one, tenant=TENANT)
    return why and why.partition(";")[0]


async def breakers(bench: Bench) -> dict[str, str]:
    _, _, status = await bench.ask("GET", "/v1/status", door="admin", tenant="")
    found = status["connections"]["live"]["breakers"]
    return {name: breaker["state"] for name, breaker in found.items()}


async def force(bench: Bench, breaker: str, forced: str | None) -> int:
    content = {"force": forced, "breaker": breaker}
    status, _, _ = await bench.ask("POST", FORCE, door="admin", tenant="", json=content)
    return status


async def test_a_local_database_that_is_down_is_left_alone_and_everything_says_so(
    bench: Bench, tmp_path: Path
) -> None:
    await bench.configure(local(f"sqlite+aiosqlite:///{tmp_path}/pedkai.db"))
    assert await breakers(bench) == {"database": "closed"}
    heard = [await degraded(bench, uuid4()) for _ in range(4)]
    assert heard == ["unreachable"] * 3 + ["breaker_open"]
    assert await breakers(bench) == {"database": "open"}
    (line,) = [line for line in bench.lines if line["event"] == "breaker"]
    assert (line["level"], line["connection"], line["breaker"]) == ("warning", "live", "database")
    figures = generate_latest(bench.telemetry.metrics.registry).decode()
    for one in (
        'breaker_state{breaker="database",connection="live",state="open"} 1.0',
        'exchanges_total{connection="live",outcome="unreachable"} 3.0',
        'exchanges_total{connection="live",outcome="breaker_open"} 1.0',
        'concurrency_limit{connection="live"} 5.0',
    ):
        assert f"bss_sidecar_{one}" in figures


async def test_an_operator_takes_a_local_database_out_and_puts_it_back(
    bench: Bench, tmp_path: Path
) -> None:
    database = on_sqlite(tmp_path / "pedkai.db")
    ann, gold = customer(TENANT), plan(TENANT, 29.99)
    await database.fill(ann, gold, account(ann, gold))
    await bench.configure(local(database.url))
    assert await degraded(bench, ann.id) is None
    assert await force(bench, "database", "open") == 200
    assert await degraded(bench, ann.id) == "breaker_open"
    assert await force(bench, "database", None) == 200
    assert await degraded(bench, ann.id) is None
    assert await breakers(bench) == {"database": "closed"}


async def test_those_who_are_remembered_reach_the_vendor_without_the_identity_database(
    bench: Bench, tmp_path: Path
) -> None:
    ann, ben = (Customer(uuid4(), TENANT, vendor_id) for vendor_id in ("8001", "8002"))
    database = on_sqlite(tmp_path / "pedkai.db")
    await database.fill(ann, ben)
    await bench.configure(mapped(database.url))
    assert await degraded(bench, ann.id) == "unreachable"  # the vendor; the mapping was read
    assert await force(bench, "identity", "open") == 200
    assert await degraded(bench, ann.id) == "unreachable"
    assert await degraded(bench, ben.id) == "identity"
    assert await breakers(bench) == {"vendor": "closed", "identity": "forced_open"}
    assert await force(bench, "database", "open") == 404


async def test_what_was_forced_stays_when_the_database_is_another(
    bench: Bench, tmp_path: Path
) -> None:
    for name in ("pedkai.db", "other.db"):
        await on_sqlite(tmp_path / name).fill(Customer(uuid4(), TENANT, "8001"))
    await bench.configure(mapped(f"sqlite+aiosqlite:///{tmp_path}/pedkai.db"))
    assert await force(bench, "identity", "open") == 200
    await bench.configure(mapped(f"sqlite+aiosqlite:///{tmp_path}/other.db"))
    assert (await breakers(bench))["identity"] == "forced_open"
    assert await degraded(bench, uuid4()) == "identity"
