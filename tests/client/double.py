"""A sidecar's double: it takes requests as they come, and answers as the test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Seen:
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def ids(self) -> list[str]:
        ids: list[str] = json.loads(self.body)["customer_ids"]
        return ids


Behaviour = Callable[[Seen, asyncio.StreamWriter], Coroutine[None, None, None]]


@dataclass
class Double:
    behave: Behaviour
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_now += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while not writer.is_closing():
                    self.seen.append(await _request(reader))
                    self.asked.set()
                    await self._until_it_hangs_up(reader, self.behave(self.seen[-1], writer))
        finally:
            self.open_now -= 1
            writer.close()

    async def _until_it_hangs_up(
        self, reader: asyncio.StreamReader, behaviour: Coroutine[None, None, None]
    ) -> None:
        """Nothing is pipelined, so whatever is read while it behaves is the end."""
        loop = asyncio.get_running_loop()
        ways = loop.create_task(behaviour), loop.create_task(reader.read(1))
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if not ways[0].done():
                raise ConnectionError("it hung up")
            await ways[0]
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def _request(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    pairs = [line.split(": ", 1) for line in head[1:] if line]
    headers = {name.lower(): value for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, path, headers, body)


@asynccontextmanager
async def sidecar(behave: Behaviour, socket: Path | None = None) -> AsyncIterator[Double]:
    """Listens on a free port of loopback, or at a unix socket."""
    double = Double(behave)
    tasks: list[asyncio.Task[None]] = []

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.get_running_loop().create_task(double.serve(reader, writer)))

    if socket is not None:
        server = await asyncio.start_unix_server(accept, socket)
        double.url = f"unix:{socket}"
    else:
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        double.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield double
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def says(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Bytes are sent as they are, anything else as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    async def behave(_seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(written(body, status=status, headers=headers))

    return behave


def written(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def problem(kind: str, status: int, *, retry_after: str | None = None, **more: str) -> Behaviour:
    content = {"type": f"urn:bss-sidecar:problem:{kind}", "title": "…", "status": status, **more}
    return says(content, status=status, headers={"Retry-After": retry_after} if retry_after else {})


async def hangs(_seen: Seen, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hangs_up(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def drips(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    """One byte of a good answer at a time, and always another one."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b" " * 100_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def floods(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


async def floods_the_head(_seen: Seen, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-More: " + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


def result(total: float | None, priced: int, unpriced: int = 0, **more: Any) -> dict[str, Any]:
    """The body of a `RevenueResult` as the sidecar writes it."""
    return {
        "total_revenue_at_risk": total,
        "is_estimate": False,
        "source": "amdocs",
        "priced_customer_count": priced,
        "unpriced_customer_count": unpriced,
        "requires_manual_valuation": unpriced > 0,
        **more,
    }


def prices(fees: Mapping[UUID, str]) -> Behaviour:
    """A sidecar that keeps to the rules of the answer, over these fees."""
    known = {str(one): fee for one, fee in fees.items()}

    async def behave(seen: Seen, writer: asyncio.StreamWriter) -> None:
        pennies = [int(known[one].replace(".", "")) for one in seen.ids if one in known]
        total = sum(pennies) / 100 if pennies else None
        body = result(total, len(pennies), len(seen.ids) - len(pennies))
        writer.write(written(json.dumps(body).encode()))

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first request meets the first of them, and so on; the last one stays."""
    waiting: list[Behaviour] = list(behaviours)

    async def behave(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(seen, writer)

    return behave


def about(ids: Sequence[UUID], then: Behaviour, otherwise: Behaviour) -> Behaviour:
    """For questions that are about any of these customers, and for the others."""
    wanted = {str(one) for one in ids}

    async def behave(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await (then if wanted & {*seen.ids} else otherwise)(seen, writer)

    return behave
