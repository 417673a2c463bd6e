"""Putting a reply on the wire, in the manner that it asks for."""

import asyncio

from aiohttp import hdrs, web

from adapters.simulator.door import reset
from adapters.simulator.reply import Reply


async def send(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    headers = {hdrs.CONTENT_TYPE: reply.content_type, **reply.headers}
    if reply.cut_after is None and reply.drip is None:
        return web.Response(status=reply.status, body=reply.body, headers=headers)
    headers[hdrs.CONTENT_LENGTH] = str(len(reply.body))
    response = web.StreamResponse(status=reply.status, headers=headers)
    await response.prepare(request)
    if reply.drip is not None:
        await _drip(response, reply)
    elif reply.cut_after is not None:
        await response.write(reply.body[: reply.cut_after])
        reset(request.transport)
        return response
    await response.write_eof()
    return response


async def _drip(response: web.StreamResponse, reply: Reply) -> None:
    drip, sent = reply.drip, 0
    while drip is not None and sent < len(reply.body):
        await response.write(reply.body[sent : sent + drip.piece_bytes])
        sent += drip.piece_bytes
        await asyncio.sleep(drip.pause_s)
