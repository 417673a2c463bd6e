"""The only room that imports httpx. Keeps a few connections for each event loop.

Each **line** is a transport with one connection of its own, used by one question at a time. A line
whose question was cancelled or failed is closed and never used again, so nothing that was left
behind on it can touch the next question.

httpx's client is left out on purpose: it logs every URL at INFO, customer ids included, and it
reads proxies from the environment.
"""

import asyncio
import importlib
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from pedkai_bss_client.address import Address
from pedkai_bss_client.failure import (
    CLIENT_ERROR,
    SIDECAR_BAD_RESPONSE,
    SIDECAR_UNREACHABLE,
    Failure,
)
from pedkai_bss_client.question import Question
from pedkai_bss_client.reading import Reply

MOST_BYTES = 256 * 1024
"""An answer about 200 customers has less than 20 KiB."""
_IDLE_LINES = 8
_IDLE_S = 30.0
_LATE_IMPORTS = ("httpcore", "anyio._backends._asyncio")
"""What httpx would import in the midst of the first question, which takes over 100 ms."""
_HUNG_UP = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)


@dataclass(eq=False)
class Line:
    transport: httpx.AsyncHTTPTransport
    used: bool = False
    """It has carried an answer: its connection may have been closed since."""

    async def ask(self, request: httpx.Request) -> Reply | Failure:
        response = await self.transport.handle_async_request(request)
        body = bytearray()
        try:
            # Raw: what was not asked for compressed is not unpacked either.
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MOST_BYTES:
                    return Failure(SIDECAR_BAD_RESPONSE, detail="the answer is too long")
        finally:
            await response.aclose()
        return Reply(response.status_code, response.headers, bytes(body))


@dataclass(eq=False)
class Lines:
    """The lines of one event loop that nobody uses at the moment."""

    idle: list[Line] = field(default_factory=list)

    async def aclose(self) -> None:
        while self.idle:
            await self.idle.pop().transport.aclose()


@dataclass(eq=False)
class _Keeping:
    lines: Lines
    until_the_end: AsyncGenerator[None, None]


class HttpxWire:
    """Carries questions to the sidecar. Whatever goes wrong is a `Failure`."""

    def __init__(self, address: Address) -> None:
        for name in _LATE_IMPORTS:
            with suppress(ImportError):
                importlib.import_module(name)
        self._address = address
        # An empty context costs nothing; a transport would read the system's trust store.
        self._tls = (
            ssl.create_default_context()
            if address.uses_tls
            else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        self._kept: dict[asyncio.AbstractEventLoop, _Keeping] = {}

    async def ask(self, question: Question, headers: Mapping[str, str]) -> Reply | Failure:
        """Takes as long as it takes: the caller cancels. A connection that was closed since it was
        last used is no answer, so the question is asked once more on a new one.
        """
        try:
            request = httpx.Request(
                question.method,
                self._address.root + question.path,
                headers=dict(headers),
                content=question.body,
            )
            lines = await self._lines()
            line = lines.idle.pop() if lines.idle else self._line()
            reply = await self._carried(line, request, lines)
            if reply is None and line.used:
                reply = await self._carried(self._line(), request, lines)
        except httpx.TransportError as error:
            return Failure(SIDECAR_UNREACHABLE, detail=type(error).__name__)
        except Exception as error:  # noqa: BLE001  (the edge: every error is a failure, and is told)
            return Failure(CLIENT_ERROR, detail=type(error).__name__)
        return reply or Failure(SIDECAR_UNREACHABLE, detail="it hung up")

    async def aclose(self) -> None:
        """Closes the connections of this event loop. The next question opens new ones."""
        kept = self._kept.pop(asyncio.get_running_loop(), None)
        if kept is not None:
            await kept.until_the_end.aclose()

    async def _carried(
        self, line: Line, request: httpx.Request, lines: Lines
    ) -> Reply | Failure | None:
        """`None` when the other end hung up before it answered."""
        is_clean = False
        try:
            reply = await line.ask(request)
            is_clean = isinstance(reply, Reply)
            return reply
        except _HUNG_UP:
            return None
        finally:
            if is_clean and len(lines.idle) < _IDLE_LINES:
                line.used = True
                lines.idle.append(line)
            else:
                await line.transport.aclose()

    async def _lines(self) -> Lines:
        loop = asyncio.get_running_loop()
        if loop not in self._kept:
            # A copy: an event loop of another thread may come meanwhile.
            for closed in [one for one in list(self._kept) if one.is_closed()]:
                self._kept.pop(closed, None)
            lines = Lines()
            until_the_end = _until_the_end(lines)
            await until_the_end.asend(None)
            self._kept[loop] = _Keeping(lines, until_the_end)
        return self._kept[loop].lines

    def _line(self) -> Line:
        return Line(
            httpx.AsyncHTTPTransport(
                verify=self._tls,
                trust_env=False,
                uds=self._address.socket,
                limits=httpx.Limits(max_connections=1, keepalive_expiry=_IDLE_S),
            )
        )


async def _until_the_end(lines: Lines) -> AsyncGenerator[None, None]:
    """Closes the lines when it is closed; an event loop that ends closes its generators itself.

    So connections end with the loop that they belong to, also where nobody calls `aclose`.
    """
    try:
        yield
    finally:
        await lines.aclose()
