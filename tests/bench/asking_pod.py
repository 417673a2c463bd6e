"""A pod that needs the fees of 200 customers: through its client, or from the vendor by itself.

    python -m tests.bench.asking_pod < JSON

takes one line of JSON (`Task`), opens its connections, and says `ready`. For each line with a
number of batches it asks so many, and says what one took it: `{"p50_ms": …, "cpu_ms": …}`. The CPU
time is its own alone.
"""

import asyncio
import json
import logging
import ssl
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, TypeAlias

import httpx
from pedkai_bss_client import SidecarBSSAdapter

from tests.bench.vendor import TOKEN
from tests.bench.vendor_rows import customer, fee, vendor_id

BATCH = 200
IN_FLIGHT = 64
OPENING = 2
"""Batches that open every connection, and are not counted."""

Ask: TypeAlias = Callable[[Sequence[int]], Awaitable[Decimal]]
"""The total of what these customers pay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    url: str
    """Of the sidecar, or of the vendor."""
    through_client: bool
    first: int = 0
    """The number of the first customer who is asked about."""
    repeats: bool = False
    """Whether it always asks about the same 200; else nobody is asked about twice."""
    tenant: str = ""
    folder: str = ""
    """With the certificates, for the vendor."""

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    def batches(self) -> Iterator[Sequence[int]]:
        first = self.first
        while True:
            yield range(first, first + BATCH)
            first += 0 if self.repeats else BATCH


async def main() -> None:
    logging.basicConfig(level=logging.WARNING)  # httpx tells of every request at INFO
    task = Task(**json.loads(sys.stdin.readline()))
    async with AsyncExitStack() as stack:
        ask = await (_client if task.through_client else _direct)(task, stack)
        batches = task.batches()
        for _ in range(OPENING):
            await _checked(ask, next(batches))
        _say("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            _say(json.dumps(await _asked(ask, [next(batches) for _ in range(int(line))])))


async def _asked(ask: Ask, batches: Sequence[Sequence[int]]) -> dict[str, float]:
    walls, spent_s = [], 0.0
    for numbers in batches:
        began, before_s = time.perf_counter(), time.process_time()
        total = await ask(numbers)
        spent_s += time.process_time() - before_s
        walls.append((time.perf_counter() - began) * 1_000)
        _check(total, numbers)
    return {"p50_ms": statistics.median(walls), "cpu_ms": spent_s * 1_000 / len(batches)}


async def _checked(ask: Ask, numbers: Sequence[int]) -> None:
    _check(await ask(numbers), numbers)


def _check(total: Decimal, numbers: Sequence[int]) -> None:
    if total != sum(map(fee, numbers)):
        raise SystemExit("a wrong total: what it took means nothing")


async def _client(task: Task, stack: AsyncExitStack) -> Ask:
    client = await stack.enter_async_context(SidecarBSSAdapter(task.url, tenant=task.tenant))

    async def ask(numbers: Sequence[int]) -> Decimal:
        result = await client.get_revenue_at_risk([customer(n) for n in numbers])
        return Decimal(str(result.total_revenue_at_risk))

    return ask


async def _direct(task: Task, stack: AsyncExitStack) -> Ask:
    tls = ssl.create_default_context(cafile=f"{task.folder}/ca.pem")
    tls.load_cert_chain(f"{task.folder}/client.pem", f"{task.folder}/client.key")
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    session = await stack.enter_async_context(
        httpx.AsyncClient(verify=tls, limits=limits, headers=headers)
    )
    slots = asyncio.Semaphore(IN_FLIGHT)

    async def one(n: int) -> Decimal:
        async with slots:
            reply = await session.get(f"{task.url}/product?relatedParty.id={vendor_id(n)}")
        (product,) = reply.raise_for_status().json()
        return _price(product)

    async def ask(numbers: Sequence[int]) -> Decimal:
        return sum(await asyncio.gather(*map(one, numbers)), Decimal(0))

    return ask


def _price(product: Any) -> Decimal:
    return Decimal(str(product["productPrice"][0]["price"]["dutyFreeAmount"]["value"]))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
