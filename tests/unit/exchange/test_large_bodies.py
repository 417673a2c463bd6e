"""Large bodies are read one after the other, so that the event loop has time for others."""

import asyncio

from proxy.exchange.transport import LARGE_BODY_BYTES, HttpRequest, Transport
from tests.unit.exchange.servers import speaking
from tests.unit.exchange.test_transport import transport_of

SIZE = 32 * 1024 * 1024
"""More than the sockets' buffers hold."""
CAP = 2 * SIZE


class Sending:
    """Sends the first half of a large body, and the second when it may; tells who is done."""

    def __init__(self) -> None:
        self.begun = 0
        self.done: list[int] = []
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.begun += 1
        number = self.begun
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        if number == 1:
            writer.write(b" " * (2 * LARGE_BODY_BYTES))
            await writer.drain()
            self.has_begun.set()
            await self.may_end.wait()
            writer.write(b" " * (SIZE - 2 * LARGE_BODY_BYTES))
        else:
            writer.write(b" " * SIZE)
        await writer.drain()
        self.done.append(number)
        await reader.read()


async def test_a_large_body_waits_for_the_one_before_it() -> None:
    sending = Sending()
    async with speaking(sending) as origin, transport_of() as transport:
        first = _fetching(transport, origin)
        await asyncio.wait_for(sending.has_begun.wait(), 10)
        async with asyncio.timeout(10):
            while not transport.reads_a_large_body:  # noqa: ASYNC110  (it has no event)
                await asyncio.sleep(0)
        second = _fetching(transport, origin)
        finished, _ = await asyncio.wait({second}, timeout=0.3)
        assert not finished
        assert sending.done == []
        sending.may_end.set()
        bodies = await asyncio.wait_for(asyncio.gather(first, second), 20)
    assert bodies == [SIZE, SIZE]


def _fetching(transport: Transport, origin: str) -> asyncio.Task[int]:
    async def fetch() -> int:
        request = HttpRequest(method="GET", url=origin + "/", headers={})
        return len((await transport.fetch(request, body_bytes=CAP)).body)

    return asyncio.get_running_loop().create_task(fetch())
