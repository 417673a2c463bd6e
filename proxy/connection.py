"""One configured vendor endpoint: its credentials, its sockets, and the stack that guards them."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count
from typing import Literal
from urllib.parse import urlsplit

import aiohttp

from adapters.exchange import Api, Exchange, VendorReply, VendorRequest, follow_link
from adapters.outcome import Call, LookupFailed, Reason
from config import settings
from proxy.credentials.loading import read_credentials
from proxy.credentials.renewal import Renewal, Spawn
from proxy.credentials.snapshot import Credentials
from proxy.credentials.tokens import TokenSource
from proxy.exchange.replies import RawReply
from proxy.exchange.slots import Slots
from proxy.exchange.transport import HttpRequest, Transport, open_session
from proxy.exchange.wire import Address, Wire
from proxy.pipeline import exchange_stack

TOKEN_REPLY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatus:
    """What the status page shows of a connection. Nothing personal and no secret is in it."""

    name: str
    vendor: str
    in_flight: int
    queued: int
    last_outcome: Literal["ok"] | Reason | None
    """Of the latest exchange that had a slot; `None` before the first."""
    credentials: Literal["not read yet", "good", "unusable"]
    certificate_ends: datetime | None
    problem: str
    """What is wrong with the credentials or the token endpoint, or else what was with the latest
    exchange, for the operator; or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Generation:
    """Sockets opened under one version of the credentials."""

    credentials: Credentials
    session: aiohttp.ClientSession
    wire: Wire
    tokens: TokenSource | None

    async def aclose(self) -> None:
        if self.tokens:
            await self.tokens.aclose()
        await self.session.close()


class VendorConnection:
    """Opens on its first exchange: nothing is read, and no socket made, before.

    Missing or bad files make its exchanges fail with the reason, and are read again by later ones,
    once a second at most.
    """

    def __init__(
        self, name: str, setting: settings.Connection, apis: Mapping[Api, str], *, spawn: Spawn
    ) -> None:
        """`apis`: base URL of each API, with a slash at its end."""
        self._name = name
        self._vendor = setting.vendor
        self._slots = Slots(setting.wire.concurrency, queue_length=setting.wire.queue_length)
        self._line = _Line(name, setting, apis, spawn=spawn)
        self.exchange: Exchange = exchange_stack(self._line, slots=self._slots)

    def status(self) -> ConnectionStatus:
        line = self._line
        return ConnectionStatus(
            name=self._name,
            vendor=self._vendor,
            in_flight=self._slots.taken,
            queued=self._slots.waiting,
            last_outcome=line.last_outcome,
            credentials=line.credentials_state,
            certificate_ends=line.certificate_ends,
            problem=line.problem,
        )

    async def aclose(self) -> None:
        """Ends what is in flight; drain it first."""
        await self._line.aclose()


class _Line(Exchange):
    """The wire, under the credentials of the moment."""

    def __init__(
        self, name: str, setting: settings.Connection, apis: Mapping[Api, str], *, spawn: Spawn
    ) -> None:
        self._setting = setting
        self._apis = apis
        self._spawn = spawn
        self._versions = count(1)
        self._generation: _Generation | None = None
        self._opening: Renewal[_Generation] = Renewal(self._open, spawn=spawn)
        self._closed = False
        # Threads start with the first use. Parsing has its own, for it may keep one busy.
        self._reading = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-credentials")
        self._parsing = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-parsing")
        self.last_outcome: Literal["ok"] | Reason | None = None
        self._last_problem = ""

    @property
    def credentials_state(self) -> Literal["not read yet", "good", "unusable"]:
        if self._generation:
            return "good"
        return "unusable" if self._opening.failure else "not read yet"

    @property
    def certificate_ends(self) -> datetime | None:
        return self._generation.credentials.certificate_ends if self._generation else None

    @property
    def problem(self) -> str:
        failure = self._opening.failure
        if self._generation and self._generation.tokens:
            failure = self._generation.tokens.failure
        return failure.detail if failure else self._last_problem

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        try:
            reply = await self._send(request, call)
        except LookupFailed as failure:
            self.last_outcome, self._last_problem = failure.reason, failure.detail
            raise
        self.last_outcome, self._last_problem = "ok", ""
        return reply

    def within(self, request: VendorRequest, link: str) -> VendorRequest | None:
        base_url = self._apis.get(request.api)
        return None if base_url is None else follow_link(base_url, request, link)

    async def aclose(self) -> None:
        self._closed = True
        await self._opening.stop()
        if self._generation:
            await self._generation.aclose()
        for threads in (self._reading, self._parsing):
            threads.shutdown(wait=False, cancel_futures=True)

    async def _send(self, request: VendorRequest, call: Call) -> VendorReply:
        if self._closed:
            raise LookupFailed(Reason.CONFIGURATION, "the connection is closed")
        generation = self._generation or await self._opening.wait(call)
        generation.credentials.check(call.asked_at)
        return await generation.wire.send(request, call)

    async def _open(self, call: Call) -> _Generation:
        setting = self._setting
        _check_schemes(setting, self._apis)
        version = next(self._versions)
        read = partial(
            read_credentials, setting.tls, setting.oauth2, version=version, now=call.asked_at
        )
        loop = asyncio.get_running_loop()
        credentials = await loop.run_in_executor(self._reading, read)
        credentials.check(call.asked_at)
        self._generation = self._generation_with(credentials)
        return self._generation

    def _generation_with(self, credentials: Credentials) -> _Generation:
        wire = self._setting.wire
        session = open_session(credentials.tls, wire)
        transport = Transport(session, timeout_s=wire.exchange_timeout)
        tokens = self._tokens(credentials, transport)
        return _Generation(
            credentials=credentials,
            session=session,
            tokens=tokens,
            wire=Wire(
                transport,
                Address(
                    apis=self._apis, headers=self._setting.headers, server_name=self._server_name
                ),
                body_bytes=wire.response_body,
                parsing=self._parsing,
                authorization=tokens,
            ),
        )

    def _tokens(self, credentials: Credentials, transport: Transport) -> TokenSource | None:
        oauth2 = self._setting.oauth2
        if oauth2 is None:
            return None
        hosts = {urlsplit(url).hostname for url in self._apis.values()}
        same_server = urlsplit(oauth2.token_url).hostname in hosts
        server_name = self._server_name if same_server else None

        async def post(url: str, headers: Mapping[str, str], form: str) -> RawReply:
            request = HttpRequest(
                method="POST", url=url, headers=headers, form=form, server_name=server_name
            )
            return await transport.fetch(request, body_bytes=TOKEN_REPLY_BYTES)

        return TokenSource(oauth2, credentials, post, spawn=self._spawn)

    @property
    def _server_name(self) -> str | None:
        return self._setting.tls.server_name if self._setting.tls else None


def _check_schemes(setting: settings.Connection, apis: Mapping[Api, str]) -> None:
    """Settings say so already; a token over plain HTTP is worth being told twice."""
    schemes = {urlsplit(url).scheme for url in _urls(setting, apis)}
    if schemes - {"https"} and not setting.insecure:
        raise LookupFailed(Reason.CONFIGURATION, "plain HTTP needs `insecure: true`")


def _urls(setting: settings.Connection, apis: Mapping[Api, str]) -> Iterator[str]:
    yield from apis.values()
    if setting.oauth2:
        yield setting.oauth2.token_url
