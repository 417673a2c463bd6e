"""A listener on a real socket whose routes say what befalls them, and what is said to it."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from proxy.http.addresses import Address
from proxy.http.caller import Patience
from proxy.http.door import Door, Route, Visit, body
from proxy.http.gate import Gate
from proxy.http.listeners import Listener
from proxy.http.reply import Reply

WAIT_S = 20.0
LARGE_BYTES = 1024 * 1024
HOST = b"Host: localhost\r\n"
LANES = {"plain": b"/", "any": b"http://127.0.0.1/"}
"""A target in absolute form takes the way through aiohttp's requests and responses."""


def get(path: bytes, *more: bytes, lane: str = "plain") -> bytes:
    fields = b"".join(one + b"\r\n" for one in more)
    return b"GET " + LANES[lane] + path + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n"


def post(path: bytes, content: bytes, *more: bytes) -> bytes:
    fields = b"".join(one + b"\r\n" for one in (b"Content-Type: application/json", *more))
    return b"POST /" + path + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n" + content


class Bench:
    """A listener with routes that say what befalls them."""

    def __init__(self, *, read_s: float = 600.0, address: Address | None = None) -> None:
        self.errors: list[Exception] = []
        self.handled: list[str] = []
        self.held, self.go_on, self.cancelled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.door = Door(
            "data",
            [
                Route("GET", "/small/{number}", self._small),
                Route("GET", "/large", self._large),
                Route("GET", "/held", self._held),
                Route("POST", "/held", self._held),
                Route("POST", "/echo", self._echo),
                Route("GET", "/unwritable", self._unwritable),
            ],
            on_refusal=lambda _refusal: None,
            on_error=self.errors.append,
        )
        gate = Gate(loopback_host=True)
        self.listener = Listener(self.door, address or Address(), gate, Patience(read_s=read_s))

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.listener.bound.port)

    async def raw(self, sent: bytes) -> bytes:
        """All that comes back, until the sidecar closes."""
        reader, writer = await self.connect()
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        return answer

    async def all_gone(self) -> None:
        while self.listener.callers:  # noqa: ASYNC110  (a real socket tells nobody)
            await asyncio.sleep(0.01)

    async def _small(self, visit: Visit) -> Reply:
        number = visit.params["number"]
        self.handled.append(number)
        return Reply(number.encode(), {"Cache-Status": "bss-sidecar; hit; ttl=5"})

    async def _large(self, visit: Visit) -> Reply:
        self.handled.append("large")
        return Reply(bytes(LARGE_BYTES), {})

    async def _held(self, visit: Visit) -> Reply:
        self.held.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return Reply(b"held", {})

    async def _echo(self, visit: Visit) -> Reply:
        return Reply(await body(visit, most=LARGE_BYTES, within_s=WAIT_S), {})

    async def _unwritable(self, visit: Visit) -> web.Response:
        return web.Response(headers={"X-Broken": "one\nX-Injected: two"})


@asynccontextmanager
async def bench(
    *, read_s: float = 600.0, address: Address | None = None, errors: int = 0
) -> AsyncIterator[Bench]:
    made = Bench(read_s=read_s, address=address)
    await made.listener.open()
    try:
        async with asyncio.timeout(WAIT_S):
            yield made
    finally:
        await made.listener.close(0.1)
    assert len(made.errors) == errors


async def answer(reader: StreamReader) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.rstrip().split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines)
    assert len(fields) == len(lines)
    content = await reader.readexactly(int(fields.get("content-length", "0")))
    return int(first.split()[1]), fields, content


async def contents(reader: StreamReader, count: int) -> list[bytes]:
    return [(await answer(reader))[2] for _ in range(count)]
