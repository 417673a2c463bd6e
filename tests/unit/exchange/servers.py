"""Small vendors on real sockets: one that speaks HTTP, one that speaks whatever a test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ssl import SSLContext

from aiohttp import web

from adapters.call import Call

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def call(budget_s: float = 30.0, **more: str) -> Call:
    deadline = asyncio.get_running_loop().time() + budget_s
    return Call(deadline=deadline, asked_at=NOW, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def serving(handler: Handler, *, tls: SSLContext | None = None) -> AsyncIterator[str]:
    """The origin of a server that answers with `handler`."""
    server = web.Server(handler, handler_cancellation=True, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=tls)
    try:
        yield _origin(listener, tls)
    finally:
        listener.close()
        await server.shutdown(0.1)


@asynccontextmanager
async def speaking(script: Script, *, tls: SSLContext | None = None) -> AsyncIterator[str]:
    """The origin of a server that does with each connection what `script` says."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await script(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            tasks.discard(task)

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    try:
        yield _origin(listener, tls)
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(set(tasks))


def saying(reply: bytes) -> Script:
    """Reads a request's head, says this, and hangs up."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    return script


def _origin(listener: asyncio.Server, tls: SSLContext | None) -> str:
    port = listener.sockets[0].getsockname()[1]
    return f"{'https' if tls else 'http'}://127.0.0.1:{port}"
