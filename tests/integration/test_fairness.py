"""A batch beside questions about one customer each, on the same connection to a slow vendor.

Measured are ratios: how long a question takes beside batches to how long it takes alone.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles

import pytest

from adapters.call import Call
from adapters.lookup import collect
from adapters.outcome import Found, Missing
from adapters.simulator import faults
from adapters.simulator.population import customer_id
from tests.servers.patience import TooLate, patiently
from tests.servers.vendors import NOW, PATIENT, Line, Setup, line

TENANT = "amdocs_demo"
SLOTS = 8
LATENCY_S = 0.1
QUESTIONS = 24
KNOWN = range(200, 200 + QUESTIONS * 10, 10)
"""Customers with one product: each is one exchange."""
MOST_TIMES_LONGER = 3.0
"""In a queue by order of arrival it would be 25 times: 200 / 8 * 0.1 s for each batch before it."""


@asynccontextmanager
async def slow_line(folder: Path) -> AsyncIterator[Line]:
    wire = {**PATIENT, "concurrency": SLOTS}
    async with line(Setup(shape="amdocs", wire=wire), folder) as made:
        await made.vendor.faults.set(faults.Latency(delay_s=LATENCY_S))
        yield made


async def ask(made: Line, numbers: Sequence[int], tenant: str) -> None:
    customers = [customer_id(TENANT, number) for number in numbers]
    deadline = asyncio.get_running_loop().time() + 30
    call = Call(deadline=deadline, asked_at=NOW, tenant=tenant, is_batch=len(numbers) > 1)
    answers = await collect(made.adapter.look_up_billing, customers, call)
    assert all(isinstance(one, Found | Missing) for one in answers.values())


async def p95_s(made: Line, tenant: str) -> float:
    """Of questions about one customer each, two at a time."""
    loop, took = asyncio.get_running_loop(), []

    async def one_after_another(numbers: Sequence[int]) -> None:
        for number in numbers:
            began = loop.time()
            await ask(made, [number], tenant)
            took.append(loop.time() - began)

    await asyncio.gather(one_after_another(KNOWN[::2]), one_after_another(KNOWN[1::2]))
    return quantiles(took, n=20)[-1]


@asynccontextmanager
async def batches_beside(made: Line, tenant: str) -> AsyncIterator[None]:
    """Two batches of 200 of that tenant at any time, each followed by the next."""

    async def for_ever() -> None:
        while True:
            await ask(made, range(200), tenant)

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(for_ever()) for _ in range(2)]
        await made.vendor.traffic.until(lambda one: one.in_flight >= SLOTS - 1)
        yield
        assert made.connection.status().queued > 2 * SLOTS, "the batches wait all the while"
        for task in running:
            task.cancel()


@pytest.mark.parametrize("asks", ["acme", "globex"])
@patiently
async def test_batches_of_200_do_not_starve_singles_of_the_same_or_of_another_tenant(
    tmp_path: Path, asks: str
) -> None:
    async with slow_line(tmp_path) as made:
        await p95_s(made, asks)  # credentials, a token and connections are there
        alone_s = await p95_s(made, asks)
        async with batches_beside(made, "acme"):
            beside_s = await p95_s(made, asks)
    if beside_s > MOST_TIMES_LONGER * alone_s:
        raise TooLate(f"beside a batch it takes {beside_s / alone_s:.1f} times as long")


@patiently
async def test_a_small_batch_is_not_behind_the_large_ones_of_another_tenant(tmp_path: Path) -> None:
    """With two who ask, each has half of what the batches may have."""
    loop = asyncio.get_running_loop()
    async with slow_line(tmp_path) as made:
        await ask(made, KNOWN[:14], "globex")
        began = loop.time()
        await ask(made, KNOWN[:14], "globex")
        alone_s = loop.time() - began
        async with batches_beside(made, "acme"):
            began = loop.time()
            await ask(made, KNOWN[:14], "globex")
            beside_s = loop.time() - began
    if beside_s > 4 * alone_s:
        raise TooLate(f"beside batches of others it takes {beside_s / alone_s:.1f} times as long")
