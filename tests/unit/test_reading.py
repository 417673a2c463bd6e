"""Connections have small buffers: 256 KiB for each read, or each TLS connection, are many MiB."""

import asyncio
import ssl
from asyncio import sslproto
from pathlib import Path

import pytest

from adapters.lookup import wall_clock
from adapters.simulator.certificates import Authority
from proxy.lifecycle import AT_ONCE_BYTES, keep_less_for_tls, read_less_at_once


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


async def test_a_tls_connection_keeps_little_and_still_brings_much(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sslproto.SSLProtocol, "max_size", sslproto.SSLProtocol.max_size)
    keep_less_for_tls()
    theirs, ours = _contexts(tmp_path)
    brought = bytes(range(256)) * 4_000

    async def bring(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(brought)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(bring, "127.0.0.1", 0, ssl=theirs)
    host, port = server.sockets[0].getsockname()[:2]
    reader, writer = await asyncio.open_connection(
        host, port, ssl=ours, server_hostname="localhost"
    )
    kept = len(writer.transport._ssl_protocol._ssl_buffer)  # type: ignore[attr-defined]  # asyncio's own
    assert await reader.read() == brought
    assert len(writer.transport._ssl_protocol._ssl_buffer) <= kept == AT_ONCE_BYTES  # type: ignore[attr-defined]  # asyncio's own
    writer.close()
    server.close()
    await server.wait_closed()


def _contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = Authority.create(now=wall_clock())
    files = authority.issue_server().write(folder, "server")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(files.certificate_file, files.key_file)
    return theirs, ssl.create_default_context(cafile=authority.write(folder))
