"""The promise of the sidecar: a valid question is answered in time, whatever the vendor does.

The sidecar is a process of its own here, so that what is measured is its own time.
"""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from adapters.simulator import faults
from adapters.simulator.population import SHAPES, Shape, customer_id
from tests.integration.asking import books
from tests.servers.patience import in_time, patiently
from tests.servers.sidecar import Demonstration, Reply, served, staged

SINGLE_S = 0.5
BATCH_S = 2.0
"""Contract, section 4."""
NUMBERS = range(200)
KNOWN = 6
REASONS = frozenset(
    {"unreachable", "deadline", "bad_response", "auth", "overload", "tls", "breaker_open"}
)
FAULTS = {
    "stopped": faults.Refuse(),
    "accepts and never answers": faults.Hang(where="all"),
    "accepts and never shakes hands": faults.HangConnect(),
    "answers garbage": faults.Garbage(where="all"),
}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demonstration]:
    async with staged(tmp_path_factory.mktemp("stage")) as stage, served(stage) as made:
        yield made


async def batch(running: Demonstration, shape: Shape) -> Reply:
    tenant = f"{shape}_demo"
    return await running.data.revenue(tenant, [customer_id(tenant, n) for n in NUMBERS])


async def single(running: Demonstration, shape: Shape, number: int = KNOWN) -> Reply:
    tenant = f"{shape}_demo"
    return await running.data.account(tenant, customer_id(tenant, number))


async def disputes(running: Demonstration, shape: Shape) -> Reply:
    tenant = f"{shape}_demo"
    return await running.data.disputes(tenant, [customer_id(tenant, n) for n in NUMBERS])


def assert_degraded(reply: Reply, shape: Shape) -> None:
    assert reply.status == 200
    assert reply.json() == {
        "total_revenue_at_risk": None,
        "is_estimate": True,
        "source": shape,
        "priced_customer_count": 0,
        "unpriced_customer_count": 200,
        "requires_manual_valuation": True,
    }
    assert_says_why(reply)
    in_time(reply.took_s, BATCH_S)


def assert_says_why(reply: Reply) -> None:
    """Pedkai has no vendor's id for two of the 200. On a machine that is busy elsewhere even that
    may not be found out in time.
    """
    reason, _, detail = reply.headers["bss-degraded"].partition(";")
    if reason == "identity":
        assert detail == "unavailable=200"
    else:
        assert reason in REASONS
        assert detail == "unavailable=198"


def assert_refused(reply: Reply) -> None:
    assert reply.status == 503
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert 1 <= int(reply.headers["retry-after"]) <= 60
    assert reply.json()["status"] == 503
    in_time(reply.took_s, SINGLE_S)


async def assert_right(running: Demonstration, shape: Shape) -> None:
    true = books(shape)
    for _ in range(10):  # a machine that is busy elsewhere can make an answer late
        reply = await batch(running, shape)
        if "bss-degraded" not in reply.headers:
            break
    result: dict[str, Any] = reply.json(parse_float=Decimal)
    assert result["total_revenue_at_risk"] == true.total(NUMBERS)
    assert result["is_estimate"] is False
    priced = sum(true.fee(number) is not None for number in NUMBERS)
    assert result["priced_customer_count"] == priced
    assert result["unpriced_customer_count"] == 200 - priced
    account = await single(running, shape)
    assert account.json(parse_float=Decimal)["monthly_fee"] == true.fee(KNOWN)
    assert (await single(running, shape, 9)).status == 404


async def healed(running: Demonstration, shape: Shape) -> None:
    """A second after a failed attempt the sidecar looks for a token again."""
    for _ in range(100):
        reply = await single(running, shape)
        if reply.status == 200:
            assert reply.json(parse_float=Decimal)["monthly_fee"] == books(shape).fee(KNOWN)
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it does not recover")


@pytest.mark.parametrize("shape", SHAPES)
async def test_without_a_fault_every_figure_is_right(running: Demonstration, shape: Shape) -> None:
    await healed(running, shape)
    await assert_right(running, shape)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("shape", SHAPES)
@patiently
async def test_with_a_fault_every_question_is_answered_in_time(
    running: Demonstration, shape: Shape, name: str
) -> None:
    await healed(running, shape)
    vendor = running.vendors[shape]
    await vendor.faults.set(FAULTS[name])
    try:
        assert_refused(await single(running, shape))
        assert_degraded(await batch(running, shape), shape)
        batches, singles = await asyncio.gather(
            asyncio.gather(*(batch(running, shape) for _ in range(3))),
            asyncio.gather(*(single(running, shape, number) for number in range(5))),
        )
        for reply in batches:
            assert_degraded(reply, shape)
        for reply in singles:
            assert_refused(reply)
    finally:
        await vendor.faults.clear()
    await healed(running, shape)


@pytest.mark.parametrize("name", FAULTS)
@patiently
async def test_disputes_of_which_none_could_be_asked_are_a_problem_and_never_no_disputes(
    running: Demonstration, name: str
) -> None:
    for shape in SHAPES:
        await healed(running, shape)
        await running.vendors[shape].faults.set(FAULTS[name])
    try:
        replies = await asyncio.gather(*(disputes(running, shape) for shape in SHAPES))
    finally:
        for shape in SHAPES:
            await running.vendors[shape].faults.clear()
    for reply in replies:
        in_time(reply.took_s, BATCH_S)
        assert reply.status == 503
        assert_says_why(reply)
        assert "customer_ids" not in reply.json()


@patiently
async def test_one_vendor_that_hangs_costs_the_others_nothing(running: Demonstration) -> None:
    for shape in SHAPES:
        await healed(running, shape)
    await running.vendors["csg"].faults.set(faults.Hang())
    try:
        hanging = [asyncio.create_task(batch(running, "csg")) for _ in range(3)]  # noqa: TID251  (held)
        await running.vendors["csg"].traffic.until(lambda one: one.in_flight >= 4)
        for shape in ("amdocs", "cerillion"):
            await assert_right(running, shape)
        for reply in await asyncio.gather(*hanging):
            assert_degraded(reply, "csg")
    finally:
        await running.vendors["csg"].faults.clear()


@pytest.mark.parametrize("name", ["stopped", "accepts and never answers"])
async def test_a_vendor_that_never_answered_yet_is_no_different(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    """No token was ever fetched, and no connection ever opened."""
    async with staged(tmp_path_factory.mktemp("fresh")) as stage:
        for shape in SHAPES:  # before the start, which opens connections ahead of the need
            await stage.vendors[shape].faults.set(FAULTS[name])
        async with served(stage) as fresh:
            for shape in SHAPES:
                assert_refused(await single(fresh, shape))
            asked = (batch(fresh, shape) for shape in SHAPES)
            for shape, reply in zip(SHAPES, await asyncio.gather(*asked), strict=True):
                assert_degraded(reply, shape)
