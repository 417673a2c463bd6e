"""Putting a reply on the wire, in the manner that it asks for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from aiohttp import hdrs, web

from adapters.simulator.door import reset
from adapters.simulator.reply import Drip, Reply


async def send(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    headers = {hdrs.CONTENT_TYPE: reply.content_type, **reply.headers}
    if reply.cut_after is None and reply.drip is None:
        return web.Response(status=reply.status, body=reply.body, headers=headers)
    headers[hdrs.CONTENT_LENGTH] = str(len(reply.body))
    if reply.part == "head":
        return await _from_the_head_on(request, reply, headers)
    response = web.StreamResponse(status=reply.status, headers=headers)
    await response.prepare(request)
    if reply.drip is not None:
        try:
            await _drip(response.write, reply.body, reply.drip)
        except ConnectionResetError:  # who asked has lost patience, as is the point of it
            return response
    elif reply.cut_after is not None:
        await response.write(reply.body[: reply.cut_after])
        reset(request.transport)
        return response
    await response.write_eof()
    return response


async def _from_the_head_on(
    request: web.BaseRequest, reply: Reply, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Written by hand, for aiohttp writes a head at once or not at all."""
    transport = request.transport
    if transport is None:
        return web.Response()

    async def write(data: bytes) -> None:
        transport.write(data)

    phrase = HTTPStatus(reply.status).phrase
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {reply.status} {phrase}\r\n{fields}Connection: close\r\n\r\n".encode()
    if reply.drip is not None:
        await _drip(write, head + reply.body, reply.drip)
        transport.close()
    else:
        await write((head + reply.body)[: reply.cut_after])
        reset(transport)
    return web.Response()


async def _drip(write: Callable[[bytes], Awaitable[None]], data: bytes, drip: Drip) -> None:
    for start in range(0, len(data), drip.piece_bytes):
        await write(data[start : start + drip.piece_bytes])
        await asyncio.sleep(drip.pause_s)
