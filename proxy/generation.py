"""A connection's sockets and tokens under one version of its credentials.

A generation serves until a newer one is ready. Then nothing new begins with it, and its sockets
close when the last exchange on them has ended, or at a bound.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from adapters.call import Call
from adapters.exchange import Api, VendorReply, VendorRequest
from adapters.outcome import LookupFailed
from config import settings
from proxy.credentials.renewal import Luck, Spawn
from proxy.credentials.snapshot import Credentials
from proxy.credentials.tokens import Token, TokenEndpoint, TokenSource
from proxy.exchange.replies import RawReply, refusal
from proxy.exchange.skew import ClockSkew
from proxy.exchange.transport import HttpRequest, Transport, open_session
from proxy.exchange.wire import Address, Wire
from proxy.guard.guard import Guard
from proxy.lifecycle import Leases
from proxy.pipeline import TOKEN, guarded

TOKEN_REPLY_BYTES = 64 * 1024
MAY_ASK_TO_REST = frozenset({429, 503})
"""These may carry a `Retry-After`; of other statuses the body says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """Of a connection, whatever its credentials."""

    vendor: Guard
    token: Guard
    """Of the token endpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What all generations of a connection have in common."""

    setting: settings.Connection
    apis: Mapping[Api, str] = field(repr=False)
    """Base URL of each API, with a slash at its end."""
    parsing: Executor
    spawn: Spawn
    clock: Callable[[], datetime]
    luck: Luck
    token_versions: Iterator[int]
    guards: Guards
    skews: Mapping[str, ClockSkew]
    """Of whom they ask, by the name of its breaker: `vendor`, `token`."""

    @property
    def server_name(self) -> str | None:
        return self.setting.tls.server_name if self.setting.tls else None


def shortened(age_s: float, luck: float) -> float:
    """An age less up to a fifth, so that a fleet's connections do not all end together."""
    return age_s * (1 - luck / 5)


class Sockets:
    """A pool of connections that are replaced together, with a lease for each exchange on them."""

    def __init__(self, site: Site, credentials: Credentials, tokens: TokenSource | None) -> None:
        wire = site.setting.wire
        now = asyncio.get_running_loop().time()
        self.too_old_at = now + shortened(wire.connection_age, site.luck())
        self.leases = Leases()
        self._session = open_session(credentials.tls, wire)
        self.transport = Transport(
            self._session, timeout_s=wire.exchange_timeout, may_repeat=site.guards.vendor.may_repeat
        )
        self.wire = Wire(
            self.transport,
            Address(apis=site.apis, headers=site.setting.headers, server_name=site.server_name),
            body_bytes=wire.response_body,
            parsing=site.parsing,
            authorization=tokens,
            heard=site.skews["vendor"].heard,
        )

    async def drain(self, within_s: float) -> None:
        """Closes when the last lease is given back, or after that time."""
        try:
            async with asyncio.timeout(within_s):
                await self.leases.all_given_back()
        except TimeoutError:
            pass  # what is still under way is cut off
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        await self._session.close()


class Generation:
    """Sends exchanges, and fetches tokens for them, as who the credentials say we are."""

    def __init__(
        self, site: Site, credentials: Credentials, *, inherited: Token | None = None
    ) -> None:
        """`inherited`: the token of the generation before; it serves until there is another."""
        self.credentials = credentials
        self.replaced = False
        """Nothing new begins with this one."""
        self._site = site
        self.tokens = self._token_source(inherited)
        self._open: set[Sockets] = set()
        self._sockets = self._opened()

    @property
    def token(self) -> Token | None:
        """The one that is being sent."""
        if self.tokens is None:
            return None
        return self.tokens.serving(asyncio.get_running_loop().time())

    @property
    def is_open(self) -> bool:
        """Whether it holds sockets, idle or not."""
        return bool(self._open)

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        self.credentials.check(call.asked_at)
        sockets = self._young()
        with sockets.leases.hold():
            return await sockets.wire.send(request, call)

    async def get_ready(self, within_s: float) -> None:
        """Tries to get a token of its own where it inherited one, for that long at most.

        Who takes over then waits for nothing. Without success the inherited one goes along.
        """
        if self.tokens is None or self.token is None:
            return
        now = asyncio.get_running_loop().time()
        with suppress(LookupFailed):  # the status says so, and the next exchange tries again
            await self.tokens.renew(Call(deadline=now + within_s, asked_at=self._site.clock()))

    def connect_anew(self) -> None:
        """Nothing begins on the connections that are open; names are looked up anew."""
        if not self.replaced:
            old, self._sockets = self._sockets, self._opened()
            self._see_out(old)

    def retire(self) -> None:
        """Nothing begins any more; what is under way may end."""
        self.replaced = True
        if self.tokens:
            self.tokens.retire()
        self._see_out(self._sockets)

    async def aclose(self) -> None:
        """Ends what is under way."""
        self.replaced = True
        if self.tokens:
            await self.tokens.aclose()
        for sockets in tuple(self._open):
            await sockets.aclose()
            self._open.discard(sockets)

    def _young(self) -> Sockets:
        """Sockets that have not reached their age; older ones are seen out."""
        if asyncio.get_running_loop().time() >= self._sockets.too_old_at:
            self.connect_anew()
        return self._sockets

    def _opened(self) -> Sockets:
        sockets = Sockets(self._site, self.credentials, self.tokens)
        self._open.add(sockets)
        return sockets

    def _see_out(self, sockets: Sockets) -> None:
        async def seen_out() -> None:
            try:
                await sockets.drain(self._site.setting.wire.drain)
            finally:
                self._open.discard(sockets)

        self._site.spawn(seen_out())

    def _token_source(self, inherited: Token | None) -> TokenSource | None:
        site = self._site
        oauth2 = site.setting.oauth2
        if oauth2 is None:
            return None
        hosts = {urlsplit(url).hostname for url in site.apis.values()}
        same_server = urlsplit(oauth2.token_url).hostname in hosts
        server_name = site.server_name if same_server else None

        async def post(url: str, headers: Mapping[str, str], form: str) -> RawReply:
            request = HttpRequest(
                method="POST", url=url, headers=headers, form=form, server_name=server_name
            )
            sockets = self._young()
            with sockets.leases.hold():
                reply = await sockets.transport.fetch(request, body_bytes=TOKEN_REPLY_BYTES)
            site.skews["token"].heard(reply.headers)
            if reply.status in MAY_ASK_TO_REST and (refused := refusal(reply, site.clock())):
                raise refused
            return reply

        return TokenSource(
            guarded(TOKEN, TokenEndpoint(oauth2, self.credentials, post), site.guards.token),
            spawn=site.spawn,
            clock=site.clock,
            versions=site.token_versions,
            luck=site.luck,
            inherited=inherited,
        )
