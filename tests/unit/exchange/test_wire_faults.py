"""What the wire makes of a vendor that refuses, hangs, drips, lies or floods."""

import asyncio
import gzip
import socket
import tracemalloc

import pytest
from aiohttp import web

from adapters.exchange import Api, VendorRequest
from adapters.outcome import Reason
from tests.unit.exchange.conftest import MakeWire
from tests.unit.exchange.failing import CANARY, failure_after, failure_of
from tests.unit.exchange.servers import Script, call, saying, serving, speaking

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


async def test_nobody_listening_is_unreachable(make_wire: MakeWire) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        wire = make_wire(f"http://127.0.0.1:{free.getsockname()[1]}")
        assert (await failure_of(wire)).reason is Reason.UNREACHABLE


async def test_a_name_that_does_not_resolve_is_unreachable(make_wire: MakeWire) -> None:
    failure = await failure_of(make_wire("http://vendor.invalid"))
    assert failure.reason is Reason.UNREACHABLE


async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def stop_within_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD + b'Content-Length: 100\r\n\r\n["')
    await writer.drain()
    await reader.read()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD + b"Content-Length: 60000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("script", [hang, stop_within_the_body, drip])
async def test_a_vendor_slower_than_an_exchange_may_be_is_unreachable(
    make_wire: MakeWire, script: Script
) -> None:
    failure = await failure_after(make_wire, script, timeout_s=0.05)
    assert failure.reason is Reason.UNREACHABLE


@pytest.mark.parametrize("script", [hang, stop_within_the_body, drip])
async def test_a_vendor_slower_than_the_budget_is_a_deadline(
    make_wire: MakeWire, script: Script
) -> None:
    async with speaking(script) as origin:
        failure = await failure_of(make_wire(origin), budget_s=0.05)
    assert failure.reason is Reason.DEADLINE


async def test_a_vendor_that_hangs_up_is_unreachable_and_was_asked_once(
    make_wire: MakeWire,
) -> None:
    asked = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))

    failure = await failure_after(make_wire, script)
    assert (failure.reason, len(asked)) == (Reason.UNREACHABLE, 1)
    assert "client certificate" in failure.detail


@pytest.mark.parametrize(
    "reply",
    [
        HEAD + b"Content-Length: 100\r\n\r\n[1,",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n",
    ],
)
async def test_a_body_that_breaks_off_is_unreachable(make_wire: MakeWire, reply: bytes) -> None:
    failure = await failure_after(make_wire, saying(reply))
    assert failure.reason is Reason.UNREACHABLE


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-" + CANARY.encode() + b"\r\n\r\n",
        b"HTTP/1.1 999999 " + CANARY.encode() + b"\r\n\r\n",
        HEAD + b"Content-Length: " + CANARY.encode() + b"\r\n\r\n",
        HEAD + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        HEAD + b"Content-Length: 0\r\n\r\n",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 11\r\n\r\n" + CANARY.encode(),
        HEAD + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n[]",
        HEAD + b"Content-Length: 13\r\n\r\n<html>garbage",
        HEAD + b"Content-Length: 80\r\n\r\n" + b"[" * 40 + b"]" * 40,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\n[]",
    ],
)
async def test_what_is_not_a_reply_is_a_bad_response(make_wire: MakeWire, reply: bytes) -> None:
    failure = await failure_after(make_wire, saying(reply))
    assert failure.reason is Reason.BAD_RESPONSE


async def test_a_bomb_is_cut_off_at_the_cap_in_bounded_memory(make_wire: MakeWire) -> None:
    bomb = gzip.compress(b"[" + b" " * 80_000_000 + b"]")
    assert len(bomb) < 100_000

    async def handle(_request: web.BaseRequest) -> web.StreamResponse:
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return web.Response(body=bomb, headers=headers)

    async with serving(handle) as origin:
        wire = make_wire(origin, body_bytes=1_000_000)
        tracemalloc.start()
        try:
            failure = await failure_of(wire)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (failure.reason, failure.detail) == (
        Reason.BAD_RESPONSE,
        "the body is larger than 1000000 bytes",
    )
    assert peak < 8_000_000


@pytest.mark.parametrize("told", [True, False], ids=["told", "chunked"])
async def test_a_body_over_the_cap_is_refused_and_one_at_the_cap_is_not(
    make_wire: MakeWire,
    told: bool,  # noqa: FBT001
) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        body = b"[" + b" " * (int(request.rel_url.query["size"]) - 2) + b"]"
        if told:
            return web.Response(body=body, content_type="application/json")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(body)
        return response

    def of_size(size: int) -> VendorRequest:
        return VendorRequest(Api.ACCOUNT, "billingAccount", (("size", str(size)),))

    async with serving(handle) as origin:
        wire = make_wire(origin, body_bytes=1000)
        assert (await wire.send(of_size(1000), call())).body == []
        failure = await failure_of(wire, of_size(1001))
    assert failure.reason is Reason.BAD_RESPONSE
