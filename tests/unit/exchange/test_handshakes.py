"""How many connections are being made at once, and that a turn always comes back."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.call import Budget
from adapters.outcome import LookupFailed
from config import settings
from proxy.exchange.handshakes import AT_ONCE
from proxy.exchange.transport import HttpRequest, Transport, open_session
from tests.unit.exchange.servers import speaking


class Silent:
    """Accepts connections, and never says a byte of a handshake."""

    def __init__(self) -> None:
        self.open = 0
        self.most = 0
        self.accepted = asyncio.Condition()
        self.dismiss = False

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        async with self.accepted:
            self.accepted.notify_all()
        try:
            while not self.dismiss and await reader.read(65536):
                pass
        finally:
            self.open -= 1

    async def until_open(self, number: int) -> None:
        async with asyncio.timeout(10), self.accepted:
            await self.accepted.wait_for(lambda: self.open >= number)


@asynccontextmanager
async def transport_of(connections: int) -> AsyncIterator[Transport]:
    wire = settings.Wire.model_validate({"connect_timeout": "30s", "concurrency": connections})
    session = open_session(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), wire)
    try:
        yield Transport(session, timeout_s=30.0)
    finally:
        await session.close()


def fetching(transport: Transport, origin: str, method: str = "GET") -> asyncio.Task[object]:
    url = origin.replace("http:", "https:")
    request = HttpRequest(method=method, url=url, headers={})
    budget = Budget(asyncio.get_running_loop().time() + 30)
    return asyncio.get_running_loop().create_task(
        transport.fetch(request, body_bytes=10, budget=budget)
    )


async def ended(tasks: list[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_only_a_few_handshakes_are_under_way_at_once() -> None:
    silent = Silent()
    async with speaking(silent) as origin, transport_of(3 * AT_ONCE) as transport:
        tasks = [fetching(transport, origin) for _ in range(3 * AT_ONCE)]
        await silent.until_open(AT_ONCE)
        await ended(tasks[: AT_ONCE // 2])  # whoever gives up makes room, whoever waits does not
        await silent.until_open(AT_ONCE)
        assert silent.most <= AT_ONCE + AT_ONCE // 2, "those that gave up may not be gone yet"
        await ended(tasks)


async def test_a_turn_comes_back_from_connections_that_fail() -> None:
    silent = Silent()
    silent.dismiss = True
    async with speaking(silent) as origin, transport_of(3 * AT_ONCE) as transport:
        for task in [fetching(transport, origin) for _ in range(3 * AT_ONCE)]:
            with pytest.raises(LookupFailed):
                await task
        silent.dismiss = False
        tasks = [fetching(transport, origin) for _ in range(AT_ONCE)]
        await silent.until_open(AT_ONCE)
        await ended(tasks)


async def test_waiting_for_a_turn_is_told_and_is_no_time_of_the_vendor() -> None:
    silent, waits = Silent(), list[float]()
    async with speaking(silent) as origin, transport_of(2 * AT_ONCE) as transport:
        tasks = [fetching(transport, origin) for _ in range(AT_ONCE)]
        await silent.until_open(AT_ONCE)
        began = asyncio.get_running_loop().time()
        request = HttpRequest(method="GET", url=origin.replace("http:", "https:"), headers={})
        with pytest.raises(LookupFailed):
            await transport.fetch(
                request, body_bytes=10, budget=Budget(began + 0.1), on_wait=waits.append
            )
        took_s = asyncio.get_running_loop().time() - began
        assert silent.open == AT_ONCE, "it never had its turn"
        await ended(tasks)
    assert waits == [pytest.approx(took_s, abs=0.05)]


async def test_who_asks_for_a_token_waits_for_nobody() -> None:
    silent = Silent()
    async with speaking(silent) as origin, transport_of(3 * AT_ONCE) as transport:
        tasks = [fetching(transport, origin) for _ in range(2 * AT_ONCE)]
        await silent.until_open(AT_ONCE)
        token = fetching(transport, origin, "POST")
        await silent.until_open(AT_ONCE + 1)
        await ended([*tasks, token])
