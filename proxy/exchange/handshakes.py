"""Few TLS handshakes at once, so that each of them is over in time.

A handshake costs either side milliseconds of CPU. A hundred that begin together all take as long
as all of them together, and none meets its timeout; one after the other they would have been done.
"""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Protocol

import aiohttp

AT_ONCE = 32
"""On two cores they are all over within about 300 ms; of a hundred most are not."""


class Connecting(Protocol):
    """A request as its tracing sees it."""

    is_urgent: bool
    """It waits for nobody: all others may wait for what it brings."""
    give_turn_back: Callable[[], None] | None
    """To be called when the request is over, if it is still set then: aiohttp does not tell of
    connections that failed."""
    waited_s: float
    """For its turn."""


class Handshakes:
    """The turns of one session. Waiting for one is not the server's slowness: no connect timeout
    runs, and each request is told how long it waited.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turns = asyncio.Semaphore(at_once)

    def tracing(self) -> aiohttp.TraceConfig:
        tracing = aiohttp.TraceConfig()
        tracing.on_connection_create_start.append(self._begin)
        tracing.on_connection_create_end.append(_end)
        return tracing

    async def _begin(
        self,
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        _said: aiohttp.TraceConnectionCreateStartParams,
    ) -> None:
        request: Connecting = context.trace_request_ctx
        if request.is_urgent:
            return
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await self._turns.acquire()
        finally:
            request.waited_s += loop.time() - began
        request.give_turn_back = self._turns.release


async def _end(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _said: aiohttp.TraceConnectionCreateEndParams,
) -> None:
    over(context.trace_request_ctx)


def over(request: Connecting) -> None:
    """Gives the turn back, if the request has one."""
    give_back, request.give_turn_back = request.give_turn_back, None
    if give_back is not None:
        give_back()
