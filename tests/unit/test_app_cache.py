"""What a pod and an operator see of the cache of a whole sidecar."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import generate_latest

from adapters.simulator.population import customer_id
from tests.servers.pedkai import account, customer, on_sqlite, plan
from tests.unit.test_app import MOCK, Bench, bench_in

KNOWN, UNKNOWN = (customer_id("mock_demo", number) for number in (0, 9))
CACHED = {key: value for key, value in MOCK.items() if key != "cache"}
"""With the cache as it is unless anything is said about it."""


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_in(tmp_path) as one:
        yield one


async def single(bench: Bench, one: UUID, tenant: str = "mock_demo") -> tuple[int, str]:
    status, headers, _ = await bench.ask(
        "GET", f"/v1/customers/{one}/billing-account", tenant=tenant
    )
    return status, headers["Cache-Status"]


async def forget(bench: Bench, one: UUID, tenant: str = "mock_demo") -> tuple[int, Any]:
    status, _, problem = await bench.ask(
        "DELETE", f"/v1/customers/{one}/cache", tenant=tenant, json={}
    )
    return status, problem


async def shown(bench: Bench) -> Mapping[str, Any]:
    _, _, status = await bench.ask("GET", "/v1/status", door="admin", tenant="")
    cache: Mapping[str, Any] = status["cache"]
    return cache


async def shown_when(bench: Bench, holds: Callable[[Mapping[str, Any]], object]) -> Any:
    cache = await shown(bench)
    async with asyncio.timeout(10):
        while not holds(cache):
            await asyncio.sleep(0.01)
            cache = await shown(bench)
    return cache


def figures(bench: Bench) -> str:
    return generate_latest(bench.telemetry.metrics.registry).decode()


async def test_who_was_asked_about_is_a_hit_until_forgotten(bench: Bench) -> None:
    await bench.configure(CACHED)
    assert await single(bench, KNOWN) == (200, "bss-sidecar; fwd=uri-miss")
    status, said = await single(bench, KNOWN)
    assert (status, said.rpartition("=")[0]) == (200, "bss-sidecar; hit; ttl")
    assert await forget(bench, KNOWN) == (204, "")
    assert await single(bench, KNOWN) == (200, "bss-sidecar; fwd=uri-miss")


async def test_that_there_is_no_such_customer_is_kept_too(bench: Bench) -> None:
    await bench.configure(CACHED)
    assert await single(bench, UNKNOWN) == (404, "bss-sidecar; fwd=uri-miss")
    status, said = await single(bench, UNKNOWN)
    assert (status, said.startswith("bss-sidecar; hit; ttl=")) == (404, True)


async def test_a_batch_says_how_many_were_hits(bench: Bench) -> None:
    await bench.configure(CACHED)
    await single(bench, KNOWN)
    asked = {"customer_ids": [str(KNOWN), str(UNKNOWN)]}
    _, headers, result = await bench.ask("POST", "/v1/revenue-at-risk", json=asked)
    assert headers["Cache-Status"] == 'bss-sidecar; fwd=partial; detail="hits=1,misses=1"'
    assert (result["priced_customer_count"], result["unpriced_customer_count"]) == (1, 1)
    _, headers, again = await bench.ask("POST", "/v1/revenue-at-risk", json=asked)
    assert 'detail="hits=2,misses=0,negative=1"' in headers["Cache-Status"]
    assert again == result


async def test_tenants_of_one_connection_share_no_entry(bench: Bench) -> None:
    both = {name: {"connection": "mock"} for name in ("mock_demo", "other_demo")}
    await bench.configure(CACHED | {"tenants": both})
    await single(bench, KNOWN)
    _, said = await single(bench, KNOWN, "other_demo")
    assert said == "bss-sidecar; fwd=uri-miss"
    assert await forget(bench, KNOWN, "other_demo") == (204, "")
    _, said = await single(bench, KNOWN)
    assert "hit" in said


async def test_a_cache_that_is_off_says_so_and_keeps_nothing(bench: Bench) -> None:
    await bench.configure(MOCK)
    for _ in range(2):
        assert await single(bench, KNOWN) == (200, "bss-sidecar; fwd=bypass")
    assert await forget(bench, KNOWN) == (204, "")
    assert (await shown(bench))["store"] == "off"


async def test_another_configuration_keeps_what_the_cache_has_if_it_says_the_same_of_it(
    bench: Bench,
) -> None:
    await bench.configure(CACHED)
    await single(bench, KNOWN)
    await bench.configure(CACHED | {"logging": {"level": "debug"}})
    assert "hit" in (await single(bench, KNOWN))[1]
    await bench.configure(CACHED | {"cache": {"ttl": "20s"}})
    assert "hit" not in (await single(bench, KNOWN))[1]


async def test_what_a_connection_said_before_it_was_configured_otherwise_is_not_used(
    bench: Bench, tmp_path: Path
) -> None:
    """Made-up figures of a mock, above all, are no live ones of the vendor that comes after it."""
    database = on_sqlite(tmp_path / "pedkai.db")
    ann, gold = customer("live_demo"), plan("live_demo", 29.99)
    await database.fill(ann, gold, account(ann, gold))
    local = {"vendor": "local", "database": {"dsn": database.url}}
    for number, live in enumerate(({"vendor": "mock"}, local, local | {"insecure": True})):
        tenants = {"live_demo": {"connection": "live"}}
        await bench.configure(CACHED | {"connections": {"live": live}, "tenants": tenants})
        _, said = await single(bench, ann.id, "live_demo")
        assert ("miss" in said) is (number < 2), "who is asked, and not how, decides the answer"
    assert 'bss_sidecar_cache_unopenable_entries_total{why="other_configuration"}' in figures(bench)


async def test_the_status_and_the_figures_tell_what_the_cache_does(bench: Bench) -> None:
    await bench.configure(CACHED)
    for _ in range(3):
        await single(bench, KNOWN)
    cache = await shown_when(bench, lambda cache: cache["entries"])
    assert (cache["store"], cache["entries"], cache["problem"]) == ("memory", 1, "")
    told = figures(bench)
    labels = 'connection="mock",outcome="{}",question="billing"'
    assert f"bss_sidecar_cache_customers_total{{{labels.format('hit')}}} 2.0" in told
    assert f"bss_sidecar_cache_customers_total{{{labels.format('miss')}}} 1.0" in told
    assert "bss_sidecar_cache_entries 1.0" in told
    assert "bss_sidecar_cache_written_entries_total 1.0" in told


async def test_a_shared_store_that_is_gone_costs_no_answer_and_is_told(
    bench: Bench, tmp_path: Path
) -> None:
    for number, name in enumerate(("master", "names")):
        (tmp_path / name).write_bytes(b64encode(bytes([number] * 32)))
    await bench.configure(CACHED | {"cache": on_redis(tmp_path)})
    for _ in range(20):
        status, said = await single(bench, KNOWN)
        assert status == 200
        # What was learned a moment ago is known here, though no store has it.
        assert said.startswith(("bss-sidecar; fwd=bypass", "bss-sidecar; hit"))
        await forget(bench, KNOWN)
    cache = await shown(bench)
    assert (cache["store"], cache["problem"], cache["failure"]) == ("redis", "", "refused")
    assert cache["breakers"]["reads"]["state"] in {"open", "half_open"}
    (line,) = [
        line
        for line in bench.lines
        if line["event"] == "cache_failing" and line["what"] == "reads"
        if line["level"] == "warning"
    ]
    assert line["why"] == "refused"
    assert 'bss_sidecar_cache_bypassed_lookups_total{why="refused"}' in figures(bench)
    status, problem = await forget(bench, KNOWN)
    assert (status, problem["type"]) == (503, "urn:bss-sidecar:problem:not-forgotten")


async def test_keys_that_are_not_there_yet_stop_no_start_and_are_taken_when_they_come(
    bench: Bench, tmp_path: Path
) -> None:
    await bench.configure(CACHED | {"cache": on_redis(tmp_path)})
    assert (await single(bench, KNOWN))[0] == 200
    bench.sidecar.look_after()
    told = [line for line in bench.lines if line["event"] == "bad_file"]
    assert {Path(line["file"]).name for line in told} == {"master", "names"}
    assert "can't be read" in (await shown(bench))["problem"]
    for number, name in enumerate(("master", "names")):
        (tmp_path / name).write_bytes(b64encode(bytes([number] * 32)))
    cache = await shown_when(bench, lambda cache: not cache["problem"])
    assert (cache["master_keys"], cache["name_keys"]) == (1, 1)
    assert bench.sidecar.status().files == []


def on_redis(folder: Path) -> dict[str, Any]:
    """Where nobody is."""
    return {
        "store": "redis",
        "master_keys_file": str(folder / "master"),
        "name_keys_file": str(folder / "names"),
        "redis": {"url": f"unix://{folder / 'nobody.sock'}"},
    }


async def test_forgetting_reaches_what_is_remembered_of_a_customers_id(
    bench: Bench, tmp_path: Path
) -> None:
    """A customer who moved in the database is another one as soon as the old one is forgotten."""
    database = on_sqlite(tmp_path / "pedkai.db")
    ann, gold = customer("live_demo"), plan("live_demo", 29.99)
    await database.fill(ann, gold, account(ann, gold))
    connection = {"vendor": "local", "database": {"dsn": database.url}}
    await bench.configure(
        CACHED
        | {"connections": {"live": connection}, "tenants": {"live_demo": {"connection": "live"}}}
    )
    assert (await single(bench, ann.id, "live_demo"))[0] == 200
    assert await forget(bench, ann.id, "live_demo") == (204, "")
    assert "miss" in (await single(bench, ann.id, "live_demo"))[1]
