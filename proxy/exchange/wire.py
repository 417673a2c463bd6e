"""The innermost exchange: HTTP to one vendor, and a reply that is JSON or a failure."""

import asyncio
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol
from urllib.parse import quote

from multidict import CIMultiDict

from adapters.call import Call
from adapters.exchange import Api, Exchange, Query, VendorReply, VendorRequest, follow_link
from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.exchange import replies
from proxy.exchange.replies import RawReply
from proxy.exchange.transport import HttpRequest, Transport
from proxy.telemetry import tracing

BIG_BODY_BYTES = 128 * 1024
"""Parsing this much takes about 4 ms, in which nobody else's question moves."""

_PATH = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/%]+")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]{1,256}")
_PLAIN = re.compile(r"[A-Za-z0-9\-._~,:]*")
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}")


class Grant(Protocol):
    """A leave to ask, of some version."""

    @property
    def version(self) -> int: ...
    @property
    def header(self) -> str:
        """Value of `Authorization`."""
        ...


class Authorization(Protocol):
    """Where the `Authorization` of an exchange comes from."""

    async def grant(self, call: Call) -> Grant:
        """Raises `LookupFailed`, at the latest at the end of the call's budget."""
        ...

    def refused(self, version: int) -> None:
        """The vendor answered 401 to a grant of this version."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a vendor is, and what is said to it each time."""

    apis: Mapping[Api, str] = field(repr=False)
    """Base URL of each API; it ends with a slash."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    server_name: str | None = None
    """Host name expected in the vendor's certificate, where it is not the URL's."""


class Wire(Exchange):
    """Sends each request once, and once more when only its authorization was refused.

    `body_bytes` caps a reply after decompression.
    """

    def __init__(
        self,
        transport: Transport,
        address: Address,
        *,
        body_bytes: int,
        parsing: Executor,
        authorization: Authorization | None = None,
        heard: Callable[[Mapping[str, str]], object] = lambda _headers: None,
    ) -> None:
        """`heard` is told the headers of every reply."""
        self._transport = transport
        self._address = address
        self._always_said = CIMultiDict(
            {
                "User-Agent": "bss-sidecar",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
            }
        )
        self._always_said.update(address.headers)
        self._latest_key: tuple[object, ...] = ()
        self._latest_headers: Mapping[str, str] = {}
        self._body_bytes = body_bytes
        self._parsing = parsing
        self._authorization = authorization
        self._heard = heard

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        url = self._url(request)
        with tracing.exchange(request.api) as step:
            raw = await self._granted(url, call, self._authorization)
            step.replied(raw.status)
            if refusal := replies.refusal(raw, call.asked_at):
                raise refusal
            reply = await self._answer(raw, call)
            request.verify(reply)
            return reply

    async def _granted(self, url: str, call: Call, authorization: Authorization | None) -> RawReply:
        """The reply. One to a grant that is refused is had once more, if there is a newer grant."""
        if authorization is None:
            return await self._fetch(url, call, None)
        grant = await _grant(authorization, call)
        raw = await self._fetch(url, call, grant)
        if raw.status != 401:
            return raw
        authorization.refused(grant.version)
        newer = await _grant(authorization, call)
        if newer.version == grant.version:
            return raw
        raw = await self._fetch(url, call, newer)
        if raw.status == 401:
            authorization.refused(newer.version)
        return raw

    async def _fetch(self, url: str, call: Call, grant: Grant | None) -> RawReply:
        raw = await self._transport.fetch(
            HttpRequest(
                method="GET",
                url=url,
                headers=self._headers(call, grant),
                server_name=self._address.server_name,
            ),
            body_bytes=self._body_bytes,
            budget=call.budget,
            on_wait=call.spend_aside,
        )
        self._heard(raw.headers)
        return raw

    def within(self, request: VendorRequest, link: str) -> VendorRequest | None:
        return follow_link(self._address.apis[request.api], request, link)

    def _url(self, request: VendorRequest) -> str:
        base = self._address.apis.get(request.api)
        if base is None:
            raise NotAsked(Reason.CONFIGURATION, f"no base URL for {request.api}")
        if not is_below(request.path):
            raise NotAsked(Reason.BAD_RESPONSE, "a path that could leave its API")
        return base + request.path + ("?" + encoded(request.query) if request.query else "")

    def _headers(self, call: Call, grant: Grant | None) -> Mapping[str, str]:
        """Those of the exchange before, where they are the same, as all of one question are."""
        trace = tracing.headers(_trace(call))
        authorization = grant.header if grant else None
        key = (call.correlation_id, authorization, *trace.items())
        if key == self._latest_key:
            return self._latest_headers
        headers = self._always_said.copy()
        if _HEADER_VALUE.fullmatch(call.correlation_id):
            headers["X-Correlation-ID"] = call.correlation_id
        headers.update(trace)
        if authorization:
            headers["Authorization"] = authorization
        self._latest_key, self._latest_headers = key, headers
        return headers

    async def _answer(self, raw: RawReply, call: Call) -> VendorReply:
        if len(raw.body) < BIG_BODY_BYTES:
            return replies.answer(raw)
        loop = asyncio.get_running_loop()
        try:
            async with call.budget.timer():
                return await loop.run_in_executor(self._parsing, replies.answer, raw)
        except TimeoutError:
            raise LookupFailed(
                Reason.DEADLINE, "the budget ended while a reply was parsed"
            ) from None


def _trace(call: Call) -> Mapping[str, str]:
    """The caller's, if it may stand in a header."""
    if not call.traceparent or not _HEADER_VALUE.fullmatch(call.traceparent):
        return {}
    trace = {"traceparent": call.traceparent}
    if call.tracestate and _TRACESTATE.fullmatch(call.tracestate):
        trace["tracestate"] = call.tracestate
    return trace


async def _grant(authorization: Authorization, call: Call) -> Grant:
    """A failed grant says nothing about the vendor, also where it was asked with an older one."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        return await authorization.grant(call)
    except LookupFailed as failure:
        raise NotAsked.instead_of(failure) from failure
    finally:
        call.spend_aside(loop.time() - began)


def encoded(query: Query) -> str:
    """A query as RFC 3986 has it. `,` and `:` stay, as TMF630 writes lists and times."""
    return "&".join(
        f"{name}={value}"
        if _PLAIN.fullmatch(value) and _is_plain(name)
        else f"{quote(name, safe='')}={quote(value, safe=',:')}"
        for name, value in query
    )


@lru_cache(maxsize=64)  # of few parameters
def _is_plain(name: str) -> bool:
    return name.isascii() and name.replace(".", "").isalnum()


def is_below(path: str) -> bool:
    """Whether a path stays below its API's base, however a server may normalise it."""
    if path.isascii() and path.isalnum():
        return True
    if not _PATH.fullmatch(path) or path.startswith("/"):
        return False
    plain = path.lower().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/")
    return not {".", ".."} & set(plain.split("/"))
