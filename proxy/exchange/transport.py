"""HTTP requests and whole, bounded replies over one aiohttp session.

A vendor may see two requests for one exchange, within the same time: see `repeat`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from ssl import SSLContext

import aiohttp
from yarl import URL

from adapters.call import Budget
from adapters.outcome import LookupFailed, Reason
from config import settings
from proxy.exchange.faults import Broken, in_our_words
from proxy.exchange.handshakes import Handshakes, over
from proxy.exchange.repeat import MayRepeat, NotRepeated, Repeat, connection_tracing
from proxy.exchange.replies import RawReply

KEEP_ALIVE_S = 30.0
NAMES_S = 1
"""A name is looked up again after that, so that whoever has moved is found by the next attempt."""
LARGE_BODY_BYTES = 512 * 1024
"""Beyond it bodies are read one after the other. Decompressing keeps the event loop from everybody
else: some milliseconds for one of many megabytes, most of a second for thirty at once."""
A_TURN_BYTES = 64 * 1024
"""Of a body, before it is others' turn."""
CLOCK_STEP_S = 0.001
"""A timer may go off this much before its time."""
FOR_THE_TOKEN = 1
"""A connection beside those of the slots, so that a token never waits for a slow exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What is sent. URL, headers and form hold customers' ids and secrets."""

    method: str
    url: str = field(repr=False)
    """Already encoded; not a character of it is touched."""
    headers: Mapping[str, str] = field(repr=False)
    form: str | None = field(default=None, repr=False)
    server_name: str | None = None
    """Host name expected in the server's certificate, where it is not the URL's."""


def open_session(tls: SSLContext, wire: settings.Wire) -> aiohttp.ClientSession:
    """A session on the running loop: no cookies, no environment, timeouts of our own."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            ssl=tls,
            limit=wire.concurrency + FOR_THE_TOKEN,
            keepalive_timeout=KEEP_ALIVE_S,
            ttl_dns_cache=NAMES_S,
        ),
        headers={"User-Agent": "bss-sidecar"},
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=wire.connect_timeout),
        proxy=wire.egress_proxy,
        trust_env=False,
        trace_configs=[connection_tracing(), Handshakes().tracing()],
    )


def always() -> bool:
    """There is no budget to ask."""
    return True


def _nothing(_seconds: float) -> None:
    """Nobody counts."""


class Transport:
    """One session, and how long and how big what goes through it may get."""

    def __init__(
        self, session: aiohttp.ClientSession, *, timeout_s: float, may_repeat: MayRepeat = always
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
        repeat = Repeat(self._may_repeat, is_urgent=request.method == "POST")  # for a token
        try:
            async with budget.timer(loop.time() + self._timeout_s):
                return await self._fetch(request, body_bytes, repeat)
        except NotRepeated as final:
            failure = in_our_words(final.error)
        except Broken as error:
            failure = in_our_words(error)
            if isinstance(error, TimeoutError) and loop.time() >= budget.deadline - CLOCK_STEP_S:
                failure = LookupFailed(Reason.DEADLINE, "the budget ended during an exchange")
        finally:
            over(repeat)
            on_wait(repeat.waited_s)
        raise failure

    async def _fetch(self, request: HttpRequest, body_bytes: int, repeat: Repeat) -> RawReply:
        async with self._session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.form,
            allow_redirects=False,
            server_hostname=request.server_name,
            middlewares=(repeat,),
            trace_request_ctx=repeat,
        ) as response:
            headers = {
                name.lower(): ", ".join(response.headers.getall(name)) for name in response.headers
            }
            body = await self._read(response, body_bytes)
            return RawReply(response.status, headers, body)

    async def _read(self, response: aiohttp.ClientResponse, body_bytes: int) -> bytes:
        """The decompressed body. One over the cap is cut off at once, and the connection too."""
        body = bytearray()
        if (response.content_length or 0) <= body_bytes:
            chunks = response.content.iter_any()
            if await _is_whole(chunks, body, min(LARGE_BODY_BYTES, body_bytes)):
                return bytes(body)
            async with self._large_body:
                if len(body) <= body_bytes and await _is_whole(chunks, body, body_bytes):
                    return bytes(body)
        response.close()
        raise LookupFailed(Reason.BAD_RESPONSE, f"the body is larger than {body_bytes} bytes")


async def _is_whole(chunks: AsyncIterator[bytes], body: bytearray, most: int) -> bool:
    """Reads on, until the end or beyond `most` bytes."""
    async for chunk in chunks:
        body += chunk
        if len(body) > most:
            return False
        if len(chunk) > A_TURN_BYTES:
            await asyncio.sleep(0)  # more of it is there without any waiting, and so are others
    return True
