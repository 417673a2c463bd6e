"""A read of a plain socket makes a small buffer, and needs no memory of the system each time."""

import asyncio

from proxy.lifecycle import AT_ONCE_BYTES, read_less_at_once


async def test_a_plain_connection_reads_no_more_at_once_than_is_said() -> None:
    most = list[int]()

    class Reader(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            read_less_at_once(transport)
            self.whole, self.done = 0, asyncio.get_running_loop().create_future()

        def data_received(self, data: bytes) -> None:
            most.append(len(data))
            self.whole += len(data)
            if self.whole == 1_000_000:
                self.done.set_result(None)

    loop = asyncio.get_running_loop()
    readers = list[Reader]()

    def made() -> Reader:
        readers.append(Reader())
        return readers[-1]

    server = await loop.create_server(made, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    writer.write(bytes(1_000_000))
    await writer.drain()
    await readers[0].done
    writer.close()
    await writer.wait_closed()
    server.close()
    assert max(most) <= AT_ONCE_BYTES


async def test_what_has_no_such_limit_is_left_alone() -> None:
    bare = asyncio.BaseTransport()
    read_less_at_once(bare)
    assert not hasattr(bare, "max_size")
