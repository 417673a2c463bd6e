"""What a caller may hold: a place, the time to send a head, the time to read an answer."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from proxy.http.addresses import Address
from proxy.http.caller import Patience
from proxy.http.door import Door, Route, Visit
from proxy.http.gate import Gate
from proxy.http.listeners import Listener
from proxy.telemetry.records import RefusalRecord

WAIT_S = 20.0
NEVER_S = 600.0
WHOLE = b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE_BYTES = 64 * 1024 * 1024
"""More than the system's buffers hold."""


class Bench:
    """A listener with some patience, and what it refused."""

    def __init__(self, patience: Patience) -> None:
        self.refused: list[RefusalRecord] = []
        self.errors: list[Exception] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.held = asyncio.Event()
        self.cancelled = asyncio.Event()
        routes = [
            Route("GET", "/small", self._small),
            Route("GET", "/large", self._large),
            Route("GET", "/held", self._held),
        ]
        door = Door("data", routes, on_refusal=self.refused.append, on_error=self.errors.append)
        self.listener = Listener(door, Address(), Gate(loopback_host=True), patience)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listener.bound.port)
        self.writers.append(writer)
        return reader, writer

    async def _small(self, visit: Visit) -> web.Response:
        return web.Response(body=b"answer")

    async def _large(self, visit: Visit) -> web.Response:
        return web.Response(body=bytes(LARGE_BYTES))

    async def _held(self, visit: Visit) -> web.Response:
        self.held.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        return web.Response()


@asynccontextmanager
async def bench(
    *,
    head_s: float = NEVER_S,
    idle_s: float = NEVER_S,
    read_s: float = NEVER_S,
    callers: int = 1_000,
) -> AsyncIterator[Bench]:
    made = Bench(Patience(head_s=head_s, idle_s=idle_s, read_s=read_s, callers=callers))
    await made.listener.open()
    try:
        async with asyncio.timeout(WAIT_S):
            yield made
    finally:
        for writer in made.writers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        await made.listener.close(0.1)
    assert made.errors == []


async def answered(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert await reader.readexactly(6) == b"answer"


async def drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"G")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("sent", [b"G", b"GET /small HTTP/1.1\r\nHost: localhost\r\n", b"\r\n"])
async def test_a_head_that_does_not_end_is_waited_for_a_while_only(sent: bytes) -> None:
    async with bench(head_s=0.05) as made:
        reader, writer = await made.connect()
        writer.write(sent)
        assert await reader.read() == b""
        (refusal,) = made.refused
        assert (refusal.problem, refusal.status) == ("slow-request", 408)


async def test_a_byte_now_and_then_lengthens_nothing() -> None:
    async with bench(head_s=0.2) as made:
        _, writer = await made.connect()
        with pytest.raises(ConnectionError):
            await drip(writer)


async def test_the_rest_of_a_second_request_is_waited_for_as_long() -> None:
    async with bench(head_s=0.05) as made:
        reader, writer = await made.connect()
        writer.write(WHOLE)
        await answered(reader)
        writer.write(WHOLE[:10])
        assert await reader.read() == b""


async def test_a_question_that_takes_long_is_no_slow_head() -> None:
    async with bench(head_s=0.02) as made:
        reader, writer = await made.connect()
        writer.write(WHOLE[:10])
        writer.write(WHOLE[10:])
        await answered(reader)
        writer.write(b"GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        writer.close()
        await made.cancelled.wait()
        assert made.refused == []


async def test_who_says_nothing_is_let_go() -> None:
    async with bench(idle_s=0.1) as made:
        silent, _ = await made.connect()
        assert await silent.read() == b""
        reader, writer = await made.connect()
        writer.write(WHOLE)
        await answered(reader)
        assert await reader.read() == b""
        assert made.refused == []


async def test_an_answer_that_nobody_reads_is_thrown_away() -> None:
    async with bench(read_s=0.1) as made:
        with socket.create_connection(("127.0.0.1", made.listener.bound.port)) as lazy:
            lazy.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while not made.listener.callers:  # noqa: ASYNC110  (a real socket tells nobody)
                await asyncio.sleep(0.01)
            while made.listener.callers:  # noqa: ASYNC110  (as above)
                await asyncio.sleep(0.01)


async def test_an_answer_that_is_read_slowly_is_read_to_its_end() -> None:
    async with bench(read_s=5) as made:
        reader, writer = await made.connect()
        writer.write(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert len(await reader.read()) > LARGE_BYTES


async def test_for_one_caller_too_many_the_longest_idle_one_goes() -> None:
    async with bench(callers=3) as made:
        callers = [await made.connect() for _ in range(3)]
        for reader, writer in (callers[1], callers[0], callers[2]):
            writer.write(WHOLE)
            await answered(reader)
        reader, writer = await made.connect()
        writer.write(WHOLE)
        await answered(reader)
        assert await callers[1][0].read() == b""
        for reader, writer in (callers[0], callers[2]):
            writer.write(WHOLE)
            await answered(reader)
        assert [one.problem for one in made.refused] == ["too-many-callers"]
        assert made.listener.callers == 3


async def test_a_question_under_way_is_never_cut_for_somebody_new() -> None:
    async with bench(callers=1) as made:
        _, writer = await made.connect()
        writer.write(b"GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await made.held.wait()
        reader, _ = await made.connect()
        assert await reader.read() == b""
        assert not made.cancelled.is_set()


async def test_a_version_that_nobody_speaks_is_not_answered_as_if_we_did() -> None:
    async with bench() as made:
        reader, writer = await made.connect()
        writer.write(WHOLE.replace(b"HTTP/1.1", b"HTTP/2.0"))
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        assert [one.problem for one in made.refused] == ["malformed"]
