"""A vendor behind mutual TLS that does not speak HTTP as we know it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from adapters.simulator.tls import VendorTls


@dataclass(slots=True)
class RudeVendor:
    """Answers every request with the same bytes, and hangs up."""

    port: int = 0
    says: bytes = field(default=b"", repr=False)

    @property
    def base_url(self) -> str:
        return f"https://localhost:{self.port}/"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.says)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def rude_vendor(folder: Path) -> AsyncIterator[RudeVendor]:
    rude = RudeVendor()
    context = VendorTls.in_folder(folder).context()
    server = await asyncio.start_server(rude.answer, "localhost", 0, ssl=context)
    async with server:
        rude.port = server.sockets[0].getsockname()[1]
        yield rude
