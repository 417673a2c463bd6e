"""The requests of one connection, which `Caller` answers one after another in a loop of its own.

It stands in for aiohttp's, so what HTTP/1.1 asks of that one is asked of it here, over sockets.
"""

import asyncio
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.http import RawRequestMessage
from aiohttp.web_protocol import MAX_MSG_QUEUE_SIZE

from adapters.lookup import wall_clock
from adapters.simulator.certificates import write_demo_certificates
from proxy.http.addresses import Address
from proxy.http.door import Door
from proxy.http.gate import Gate
from proxy.http.listeners import Listener
from tests.unit.http.one_connection import (
    LANES,
    LARGE_BYTES,
    WAIT_S,
    answer,
    bench,
    contents,
    get,
    post,
)  # fmt: skip


async def test_requests_sent_at_once_are_answered_in_their_order_whatever_way_they_take() -> None:
    async with bench() as made:
        reader, writer = await made.connect()
        writer.write(
            get(b"small/1")
            + post(b"echo", b"two", b"Content-Length: 3")
            + get(b"small/3", lane="any")
            + post(b"echo", b"4\r\nfour\r\n0\r\n\r\n", b"Transfer-Encoding: chunked")
            + get(b"small/5", b"Expect: 100-continue")
            + get(b"small/6", b"Content-Length: 4") + b"body"
            + get(b"small/7")
        )  # fmt: skip
        expected = [b"1", b"two", b"3", b"four", b"5", b"6", b"7"]
        assert await contents(reader, 7) == expected
        writer.close()


async def test_of_more_requests_than_are_queued_none_is_lost() -> None:
    many = 5 * MAX_MSG_QUEUE_SIZE
    async with bench() as made:
        reader, writer = await made.connect()
        writer.write(get(b"held") + b"".join(get(b"small/%d" % at) for at in range(many)))
        await made.held.wait()
        made.go_on.set()
        assert await contents(reader, 1) == [b"held"]
        assert await contents(reader, many) == [b"%d" % at for at in range(many)]
        writer.close()


async def test_a_caller_who_sends_much_at_once_leaves_others_their_turn() -> None:
    async with bench() as made:
        port = made.listener.bound.port
        with (
            socket.create_connection(("127.0.0.1", port)) as one,
            socket.create_connection(("127.0.0.1", port)) as two,
        ):
            one.sendall(get(b"small/one") * 500)
            two.sendall(get(b"small/two") * 500)
            while len(made.handled) < 1000:  # noqa: ASYNC110  (the handler tells nobody)
                await asyncio.sleep(0)
        assert set(made.handled[:100]) == {"one", "two"}


async def test_a_head_that_comes_in_pieces_is_put_together() -> None:
    async with bench() as made:
        reader, writer = await made.connect()
        for at in range(2):
            for byte in get(b"small/%d" % at):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)
            assert await contents(reader, 1) == [b"%d" % at]
        writer.close()


@pytest.mark.parametrize(
    "question",
    [get(b"held"), get(b"held", lane="any"), post(b"held", b"", b"Content-Length: 0")],
    ids=["plain", "absolute", "post"],
)
@pytest.mark.parametrize(
    "leave", [StreamWriter.close, StreamWriter.write_eof], ids=["hung up", "half closed"]
)
async def test_a_question_of_a_caller_who_is_gone_is_cancelled(
    question: bytes, leave: Callable[[StreamWriter], None]
) -> None:
    async with bench() as made:
        _, writer = await made.connect()
        writer.write(question)
        await made.held.wait()
        leave(writer)
        await made.cancelled.wait()
        await made.all_gone()
        writer.close()


@pytest.mark.parametrize("lane", LANES)
async def test_at_the_end_what_is_in_flight_is_answered_and_what_waits_behind_it_is_not(
    lane: str,
) -> None:
    async with bench() as made, asyncio.TaskGroup() as tasks:
        reader, writer = await made.connect()
        idle, _other = await made.connect()
        _other.write(get(b"small/0"))
        await contents(idle, 1)
        writer.write(get(b"held", lane=lane) + get(b"small/1"))
        await made.held.wait()
        closing = tasks.create_task(made.listener.close(WAIT_S))
        assert await idle.read() == b""
        assert not closing.done()
        made.go_on.set()
        status, fields, content = await answer(reader)
        assert (status, fields["connection"], content) == (200, "close", b"held")
        assert await reader.read() == b""
        await closing
        assert made.handled == ["0"]
        for one in (writer, _other):
            one.close()


async def test_an_upgrade_is_declined_and_what_came_behind_it_is_answered() -> None:
    async with bench() as made:
        reader, writer = await made.connect()
        upgrade = get(b"small/2", b"Connection: Upgrade", b"Upgrade: websocket")
        writer.write(get(b"small/1") + upgrade + get(b"small/3"))
        assert await contents(reader, 3) == [b"1", b"2", b"3"]
        writer.close()


async def test_http_1_0_is_answered_in_its_own_way() -> None:
    asked = get(b"small/1").replace(b"HTTP/1.1", b"HTTP/1.0")
    async with bench() as made:
        reader, writer = await made.connect()
        writer.write(asked.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n"))
        status, fields, content = await answer(reader)
        assert (status, fields["connection"], content) == (200, "keep-alive", b"1")
        writer.write(asked)
        assert (await reader.read()).startswith(b"HTTP/1.0 200 OK\r\n")
        writer.close()


async def test_head_has_the_length_and_no_content_and_the_next_answer_follows() -> None:
    async with bench() as made:
        head = get(b"small/123").replace(b"GET", b"HEAD")
        came = await made.raw(head + get(b"small/4", b"Connection: close"))
        first, _, rest = came.partition(b"\r\n\r\n")
        assert b"\r\nContent-Length: 3" in first
        assert rest.startswith(b"HTTP/1.1 200 OK\r\n")
        assert rest.endswith(b"\r\n\r\n4")


async def test_a_body_that_nobody_wanted_is_read_and_the_next_request_answered() -> None:
    async with bench() as made:
        reader, writer = await made.connect()
        writer.write(post(b"nowhere", bytes(100_000), b"Content-Length: 100000") + get(b"small/1"))
        assert (await answer(reader))[0] == 404
        assert await contents(reader, 1) == [b"1"]
        writer.close()


@pytest.mark.parametrize(
    ("framing", "begun"),
    [
        (b"Content-Length: 9", b"some"),
        (b"Transfer-Encoding: chunked", b"4\r\nsome\r\nno chunk\r\n"),
    ],
)
async def test_where_the_next_request_begins_is_not_known_the_connection_ends(
    framing: bytes, begun: bytes
) -> None:
    async with bench() as made:
        reader, writer = await made.connect()
        writer.write(post(b"nowhere", begun[:4], framing))
        assert (await answer(reader))[0] == 404
        writer.write(begun[4:])
        assert b"HTTP/1.1 200" not in await reader.read()
        writer.close()


@pytest.mark.parametrize("rest", [b"no request\r\n\r\n", b"\x16\x03\x01\r\n\r\n"])
async def test_what_cannot_be_read_behind_a_good_request_ends_the_connection(rest: bytes) -> None:
    async with bench() as made:
        reader, writer = await made.connect()
        writer.write(get(b"small/1"))
        assert await contents(reader, 1) == [b"1"]
        writer.write(rest)
        status, _, content = await answer(reader)
        assert (status, b"malformed" in content) == (400, True)
        assert await reader.read() == b""
        writer.close()


async def test_nothing_more_is_asked_for_a_caller_who_does_not_read() -> None:
    async with bench() as made:
        reader, writer = await made.connect()
        writer.write(get(b"large") * 100)
        while not made.handled:  # noqa: ASYNC110  (the handler tells nobody)
            await asyncio.sleep(0)
        for _ in range(300):
            await asyncio.sleep(0)
        assert len(made.handled) < 50
        assert sum(len(one) for one in await contents(reader, 100)) == 100 * LARGE_BYTES
        writer.close()


async def test_a_caller_who_never_reads_is_gone_in_the_end() -> None:
    async with bench(read_s=0.1) as made:
        with socket.create_connection(("127.0.0.1", made.listener.bound.port)) as lazy:
            lazy.sendall(get(b"large") * 100)
            while not made.handled:  # noqa: ASYNC110  (the handler tells nobody)
                await asyncio.sleep(0.01)
            await made.all_gone()


async def test_a_unix_socket_and_tls_are_no_different(tmp_path: Path) -> None:
    write_demo_certificates(tmp_path, now=wall_clock())
    path = str(tmp_path / "bss.sock")
    async with bench(address=Address(unix_socket=path)) as made:
        await _mixed(*await asyncio.open_unix_connection(path))
    files = {
        "certificate_file": str(tmp_path / "server.pem"),
        "key_file": str(tmp_path / "server.key"),
    }
    async with bench(address=Address(**files)) as made:
        trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        port = made.listener.bound.port
        await _mixed(*await asyncio.open_connection("localhost", port, ssl=trust))


async def _mixed(reader: StreamReader, writer: StreamWriter) -> None:
    writer.write(get(b"small/1") + post(b"echo", b"two", b"Content-Length: 3") + get(b"large"))
    assert await contents(reader, 3) == [b"1", b"two", bytes(LARGE_BYTES)]
    writer.write(get(b"small/4", b"Connection: close"))
    assert (await answer(reader))[2] == b"4"
    assert await reader.read() == b""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.parametrize("lane", LANES)
async def test_an_answer_that_cannot_be_written_is_told_and_the_connection_ends(lane: str) -> None:
    async with bench(errors=1) as made:
        other_reader, other = await made.connect()
        assert await made.raw(get(b"unwritable", lane=lane)) == b""
        other.write(get(b"small/1"))
        assert await contents(other_reader, 1) == [b"1"]
        assert isinstance(made.errors[0], ValueError)
        other.close()


class BrokenDoor(Door):
    """Breaks outside of what a door watches over."""

    async def answer_plain(self, message: RawRequestMessage, gate: Gate) -> bytes | web.Response:
        raise LookupError

    async def answer(self, request: web.BaseRequest, gate: Gate) -> web.StreamResponse:
        raise LookupError


@pytest.mark.parametrize(("lane", "comes"), [("plain", b""), ("any", b"HTTP/1.1 500 ")])
async def test_whatever_breaks_is_told_and_leaves_no_caller_waiting(
    lane: str, comes: bytes
) -> None:
    errors: list[Exception] = []
    door = BrokenDoor("data", [], on_refusal=lambda _refusal: None, on_error=errors.append)
    listener = Listener(door, Address(), Gate(loopback_host=True))
    await listener.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.bound.port)
    async with asyncio.timeout(WAIT_S):
        writer.write(get(b"small/1", lane=lane))
        came = await reader.read()
    assert (came == comes) if not comes else came.startswith(comes)
    assert [type(one) for one in errors] == [LookupError]
    writer.close()
    await listener.close(0.1)


@pytest.mark.parametrize("doing", ["nothing", "answering", "writing"])
async def test_a_connection_whose_task_is_cancelled_is_closed(doing: str) -> None:
    async with bench() as made:
        reader, writer = await made.connect()
        if doing == "answering":
            writer.write(get(b"held"))
            await made.held.wait()
        elif doing == "writing":
            writer.write(get(b"large") * 100)
            while not made.handled:  # noqa: ASYNC110  (the handler tells nobody)
                await asyncio.sleep(0)
        else:
            writer.write(get(b"small/1"))
            await contents(reader, 1)
        (caller,) = made.listener._server.connections
        assert caller._task_handler is not None
        caller._task_handler.cancel()
        rest = await reader.read()
        assert len(rest) < 100 * LARGE_BYTES
        await made.all_gone()
        writer.close()
