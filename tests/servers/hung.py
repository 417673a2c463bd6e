"""Servers that look alive and are not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path


@asynccontextmanager
async def hung_server() -> AsyncIterator[int]:
    """Accepts on the port that it gives, and never answers."""
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in held:
            await _close(writer)


class FreezingProxy:
    """Passes bytes on to a unix socket, until it is frozen: then they wait where they are."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.holding = asyncio.Event()
        """Set as soon as bytes wait."""

    def freeze(self) -> None:
        self._flowing.clear()
        self.holding.clear()

    def thaw(self) -> None:
        self._flowing.set()

    async def link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._server)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass_on(reader, far_writer))
                ways.create_task(self._pass_on(far_reader, writer))
        finally:
            await _close(writer)
            await _close(far_writer)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if not self._flowing.is_set():
                    self.holding.set()
                    await self._flowing.wait()
                writer.write(data)
        writer.close()


@asynccontextmanager
async def freezing_proxy(server: Path, door: Path) -> AsyncIterator[FreezingProxy]:
    """A proxy at the unix socket `door`, in front of the one at `server`."""
    proxy = FreezingProxy(server)
    async with asyncio.TaskGroup() as links:
        tasks: list[asyncio.Task[None]] = []

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.append(links.create_task(proxy.link(reader, writer)))

        async with await asyncio.start_unix_server(accept, door):
            yield proxy
        for task in tasks:
            task.cancel()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()
