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
from proxy.exchange.session import origin_of
from proxy.exchange.skew import ClockSkew
from proxy.exchange.transport import HttpRequest, Transport, open_session
from proxy.exchange.warmth import Warmth
from proxy.exchange.wire import Address, Wire
from proxy.guard.guard import Guard
from proxy.lifecycle import Leases
from proxy.pipeline import TOKEN, guarded

TOKEN_REPLY_BYTES = 64 * 1024
LATEST_HEAD_START_S = 10.0
"""Before the end of their age, or a tenth of it: then sockets are opened that take over."""
FLOWS = frozenset({"closed", "forced_closed"})
"""States of a breaker in which connections are opened ahead; a half-open one's probes go alone."""
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

    @property
    def warm(self) -> Mapping[str, int]:
        """Connections to be kept open, by a URL of each server: shared out among them."""
        wire = self.setting.wire
        urls = list({origin_of(url): url for url in self.apis.values()}.values())
        share, rest = divmod(min(wire.warm_connections, wire.concurrency), max(1, len(urls)))
        shares = ((url, share + (number < rest)) for number, url in enumerate(urls))
        return {url: number for url, number in shares if number}


def shortened(age_s: float, luck: float) -> float:
    """An age less up to a fifth, so that a fleet's connections do not all end together."""
    return age_s * (1 - luck / 5)


class Sockets:
    """A pool of connections that are replaced together, with a lease for each exchange on them."""

    def __init__(self, site: Site, credentials: Credentials, tokens: TokenSource | None) -> None:
        wire = site.setting.wire
        now = asyncio.get_running_loop().time()
        age_s = shortened(wire.connection_age, site.luck())
        self.too_old_at = now + age_s
        self.renew_at = self.too_old_at - min(LATEST_HEAD_START_S, age_s / 10)
        """From then on, others are made ready to take over."""
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

    async def warm_up(self, wanted: Mapping[str, int], server_name: str | None) -> None:
        """Raises `LookupFailed` when a server lets nobody connect."""
        for url, number in wanted.items():
            await self.transport.warm(url, number, server_name=server_name)

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
        self.cold_because = ""
        """Why connections could not be opened ahead, the last time; empty: they could."""
        self.replaced = False
        """Nothing new begins with this one."""
        self._site = site
        self.tokens = self._token_source(inherited)
        self._warm = site.warm
        self._warmth = Warmth(site.luck)
        self._open: set[Sockets] = set()
        self._sockets = self._opened()

    @property
    def token(self) -> Token | None:
        """The one that is being sent."""
        if self.tokens is None:
            return None
        return self.tokens.serving(asyncio.get_running_loop().time())

    @property
    def open_connections(self) -> int:
        """Of all its sockets."""
        return sum(one.transport.open_connections for one in self._open)

    @property
    def is_open(self) -> bool:
        """Whether it holds sockets, idle or not."""
        return bool(self._open)

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        self.credentials.check(call.asked_at)
        sockets = self._young()
        self._warmth.used()
        with sockets.leases.hold():
            return await sockets.wire.send(request, call)

    async def get_ready(self, within_s: float) -> None:
        """Tries to get a token of its own where it inherited one, and warm connections, for that
        long at most. Who takes over then waits for nothing.

        Without success the inherited token goes along, and the connections are opened as needed.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._renew_token(within_s))
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self.keep_warm()

    async def keep_warm(self) -> None:
        """Opens what lacks of the connections to be kept, if it is time to.

        Never to a vendor that is left alone, and whatever comes of it is not the breaker's to
        count: nobody was asked anything.
        """
        if not self._warm or self.replaced or not self._may_connect():
            return
        now, old = asyncio.get_running_loop().time(), self._sockets
        is_old = now >= old.renew_at
        lacks = is_old or old.transport.open_connections < sum(self._warm.values())
        if not self._warmth.is_due(now, lacks=lacks, at_once=is_old):
            return
        sockets = self._opened() if is_old else old
        try:
            self.credentials.check(self._site.clock())
            await sockets.warm_up(self._warm, self._site.server_name)
        except LookupFailed as failure:
            self._warmth.failed(asyncio.get_running_loop().time())
            self.cold_because = failure.detail
        else:
            self._warmth.opened(were_lost=not is_old)
            self.cold_because = ""
            if is_old and self._sockets is old and not self.replaced:
                self._sockets, sockets = sockets, old
        finally:
            if is_old and sockets is not self._sockets:
                self._see_out(sockets)

    def _may_connect(self) -> bool:
        return self._site.guards.vendor.breaker.status().state in FLOWS

    async def _renew_token(self, within_s: float) -> None:
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
            kept=bool(site.warm),
        )
