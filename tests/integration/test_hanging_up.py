"""A pod that hangs up: its work stops, down to the vendor, unless another pod shares it."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import pytest_asyncio

from adapters.simulator import faults
from adapters.simulator.population import customer_id
from adapters.simulator.traffic import Traffic
from tests.integration.asking import books
from tests.servers.sidecar import Demonstration, demonstration
from tests.servers.vendors import Setup

TENANT = "amdocs_demo"
ASKED_ABOUT_REVENUE = 'bss_sidecar_questions_in_flight{question="revenue_at_risk"}'
SOON_S = 20
"""Nothing here takes that long but what is broken."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demonstration]:
    folder = tmp_path_factory.mktemp("stage")
    async with demonstration(folder, setups={"amdocs": Setup(shape="amdocs")}) as one:
        yield one


@pytest_asyncio.fixture(loop_scope="module")
async def running(made: Demonstration) -> AsyncIterator[Demonstration]:
    """All is well, a token is there, and nothing is in flight."""
    vendor = made.vendors["amdocs"]
    async with asyncio.timeout(SOON_S):
        await shown(made, "bss_sidecar_flights 0.0")
        while (await made.data.account(TENANT, customers(6)[0])).status != 200:
            await vendor.traffic.until(lambda one: not one.in_flight)
        await vendor.traffic.until(lambda one: not one.in_flight)
    vendor.traffic.forget()
    yield made
    await vendor.faults.clear()


def customers(*numbers: int) -> list[UUID]:
    return [customer_id(TENANT, number) for number in numbers]


def traffic_of(running: Demonstration) -> Traffic:
    return running.vendors["amdocs"].traffic


@asynccontextmanager
async def hanging(running: Demonstration, request: bytes) -> AsyncIterator[asyncio.StreamWriter]:
    """A pod's own socket, on which a question is asked."""
    url = urlsplit(running.data.url)
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(request)
    try:
        yield writer
    finally:
        writer.close()
        await writer.wait_closed()


def single(asked: UUID) -> bytes:
    return (
        f"GET /v1/customers/{asked}/billing-account HTTP/1.1\r\n"
        f"Host: localhost\r\nX-Tenant-ID: {TENANT}\r\n\r\n"
    ).encode()


def batch(asked: Sequence[UUID], path: str = "/v1/revenue-at-risk") -> bytes:
    body = json.dumps({"customer_ids": [str(one) for one in asked]})
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Tenant-ID: {TENANT}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@pytest.mark.parametrize(
    ("request_", "at_once"),
    [
        (single(customers(6)[0]), 1),
        (batch(customers(*range(200))), 8),
        (batch(customers(*range(200)), "/v1/disputes"), 1),
    ],
    ids=["a single", "a batch of 200", "disputes of 200"],
)
async def test_its_exchanges_end_and_none_begins_any_more(
    running: Demonstration, request_: bytes, at_once: int
) -> None:
    """The vendor would be slow for longer than any deadline, so nothing else ends them."""
    traffic = traffic_of(running)
    await running.vendors["amdocs"].faults.set(faults.Hang())
    async with asyncio.timeout(SOON_S):
        async with hanging(running, request_):
            await traffic.until(lambda one: one.in_flight >= at_once)
        before = asyncio.get_running_loop().time()
        await traffic.until(lambda one: not one.in_flight)
    took_s = asyncio.get_running_loop().time() - before
    begun = traffic.counts.total()
    assert took_s < 0.3, "long before any deadline"
    async with asyncio.timeout(SOON_S):
        await shown(running, "bss_sidecar_flights 0.0")
    assert traffic.counts.total() == begun


async def test_what_another_pod_waits_for_goes_on_and_is_asked_for_once(
    running: Demonstration,
) -> None:
    traffic, asked = traffic_of(running), customers(6, 13)
    await running.data.revenue(TENANT, asked)
    alone = traffic.counts.copy()
    traffic.forget()
    await running.vendors["amdocs"].faults.set(faults.Latency(delay_s=0.3))
    async with asyncio.timeout(SOON_S):
        async with hanging(running, batch(asked)):
            await traffic.until(lambda one: one.in_flight > 0)
            other = asyncio.get_running_loop().create_task(running.data.revenue(TENANT, asked))
            await shown(running, f"{ASKED_ABOUT_REVENUE} 2.0")
        reply = await other
    true = books("amdocs")
    assert reply.json(parse_float=Decimal)["total_revenue_at_risk"] == true.total([6, 13])
    assert "bss-degraded" not in reply.headers
    assert traffic.counts == alone


async def shown(running: Demonstration, line: str) -> None:
    """Until a metric has this value."""
    async with asyncio.timeout(SOON_S):
        while f"{line}\n" not in (await running.ops.ask("GET", "/metrics")).body.decode():
            pass  # asking again lets everybody else move
