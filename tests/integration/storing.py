"""Stores for a test, and what they say when they fail."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from proxy.cache.store import Store, StoreFailed
from tests.servers.redis_kinds import Kind

LONG_S = 60.0
HASTY_S = 0.2
PATIENT_S = 5.0
NAMES = [b"bss1:%d" % number for number in range(100)]


@asynccontextmanager
async def opened(kind: Kind, *, timeout_s: float = PATIENT_S) -> AsyncIterator[Store]:
    store = kind.open(timeout_s=timeout_s)
    try:
        yield store
    finally:
        await store.aclose()


async def eventually(holds: Callable[[], Awaitable[bool]], *, within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110  (other processes hold the clock)
            await asyncio.sleep(0)


async def failure_of(work: Awaitable[object]) -> str:
    with pytest.raises(StoreFailed) as failure:
        await work
    return failure.value.kind
