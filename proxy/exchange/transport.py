"""HTTP requests and whole, bounded replies over one session.

A vendor may see two requests for one exchange, within the same time: where a connection that had
been used was closed as the first went out.
"""

import asyncio
from collections.abc import Callable
from math import inf
from ssl import SSLContext
from typing import TypeAlias

from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader

from adapters.call import Budget
from adapters.outcome import LookupFailed, Reason
from config import settings
from proxy.exchange.faults import Broken, in_our_words
from proxy.exchange.replies import RawReply
from proxy.exchange.session import HttpRequest, Origin, Session, Stale, origin_of

__all__ = ("HttpRequest",)

LARGE_BODY_BYTES = 512 * 1024
"""Beyond it bodies are read one after the other. Decompressing keeps the event loop from everybody
else: some milliseconds for one of many megabytes, most of a second for thirty at once."""
A_TURN_BYTES = 64 * 1024
"""Of a body, before it is others' turn."""
CLOCK_STEP_S = 0.001
"""A timer may go off this much before its time."""

MayRepeat: TypeAlias = Callable[[], bool]
"""Whether one more request may go to this vendor. It counts as gone when it may."""


def open_session(tls: SSLContext, wire: settings.Wire) -> Session:
    """A session on the running loop: no cookies, no environment, timeouts of our own."""
    return Session(tls, wire)


def always() -> bool:
    """There is no budget to ask."""
    return True


def _nothing(_seconds: float) -> None:
    """Nobody counts."""


class Transport:
    """One session, and how long and how big what goes through it may get."""

    def __init__(
        self, session: Session, *, timeout_s: float, may_repeat: MayRepeat = always
    ) -> None:
        """`session`: one of `open_session`."""
        self._session = session
        self._timeout_s = timeout_s
        self._may_repeat = may_repeat
        self._large_body = asyncio.Lock()

    @property
    def reads_a_large_body(self) -> bool:
        """Others wait until it is read."""
        return self._large_body.locked()

    @property
    def open_connections(self) -> int:
        """In use or idle."""
        return self._session.open

    async def warm(self, url: str, number: int, *, server_name: str | None = None) -> None:
        """Opens connections to the server of a URL until so many are there, and keeps them.

        Raises `LookupFailed` as `fetch` does; nobody has been asked anything.
        """
        try:
            await self._session.warm(Origin(origin_of(url), server_name), number)
        except Broken as error:
            failure = in_our_words(error)
        else:
            return
        raise failure

    async def fetch(
        self,
        request: HttpRequest,
        *,
        body_bytes: int,
        budget: Budget | None = None,
        on_wait: Callable[[float], object] = _nothing,
    ) -> RawReply:
        """The reply, whatever its status; a redirect is one too, and nobody follows it.

        `on_wait` is told how many seconds it waited for others of ours, and asked nobody.

        Raises `LookupFailed`: `deadline` when the caller's budget ended, else `unreachable`,
        `tls` or `bad_response`. It is raised outside of the handler, so that no traceback drags a
        URL along.
        """
        loop = asyncio.get_running_loop()
        budget = budget or Budget(inf)

        async def read(message: RawResponseMessage, stream: StreamReader) -> RawReply:
            body = await self._read(message, stream, body_bytes)
            return RawReply(message.code, _headers(message), body)

        try:
            async with budget.timer(loop.time() + self._timeout_s):
                try:
                    return await self._session.ask(request, read, waited=on_wait)
                except Stale:
                    if request.method != "GET" or not self._may_repeat():
                        raise
                return await self._session.ask(request, read, waited=on_wait)
        except Stale as stale:
            failure = in_our_words(stale.error)
        except Broken as error:
            failure = in_our_words(error)
            if isinstance(error, TimeoutError) and loop.time() >= budget.deadline - CLOCK_STEP_S:
                failure = LookupFailed(Reason.DEADLINE, "the budget ended during an exchange")
        raise failure

    async def _read(
        self, message: RawResponseMessage, stream: StreamReader, body_bytes: int
    ) -> bytes:
        """The decompressed body. One over the cap is cut off at once, and the connection too."""
        if _promised(message) <= body_bytes:
            first = await stream.readany()
            if stream.at_eof() and len(first) <= body_bytes:
                return first
            body = bytearray(first)
            if await _is_whole(stream, body, min(LARGE_BODY_BYTES, body_bytes)):
                return bytes(body)
            async with self._large_body:
                if len(body) <= body_bytes and await _is_whole(stream, body, body_bytes):
                    return bytes(body)
        raise LookupFailed(Reason.BAD_RESPONSE, f"the body is larger than {body_bytes} bytes")


async def _is_whole(stream: StreamReader, body: bytearray, most: int) -> bool:
    """Reads on, until the end or beyond `most` bytes."""
    while len(body) <= most:
        chunk = await stream.readany()
        if not chunk:
            return True
        body += chunk
        if len(chunk) > A_TURN_BYTES:
            await asyncio.sleep(0)  # more of it is there without any waiting, and so are others
    return False


def _headers(message: RawResponseMessage) -> dict[str, str]:
    """Names in lower case; what comes several times is one value, as RFC 9110 has it."""
    headers: dict[str, str] = {}
    for name, value in message.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _promised(message: RawResponseMessage) -> int:
    """Bytes on the wire, as far as the head tells."""
    length = message.headers.get("Content-Length", "0")
    return int(length) if length.isdecimal() else 0
