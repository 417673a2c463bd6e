"""The bottom of a connection's stack: which generation an exchange begins with."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Literal
from urllib.parse import urlsplit

from adapters.call import Call
from adapters.exchange import Api, Exchange, VendorReply, VendorRequest, follow_link
from adapters.outcome import LookupFailed, NotAsked, Reason
from config import settings
from proxy.credentials.renewal import Luck, Spawn
from proxy.credentials.snapshot import Credentials
from proxy.credentials.source import CredentialSource
from proxy.exchange.skew import ClockSkew
from proxy.generation import Generation, Guards, Site

MAY_BE_THE_SWAP = frozenset({Reason.AUTH, Reason.TLS, Reason.UNREACHABLE})
"""How a vendor or an issuer refuses credentials that were replaced meanwhile. Under TLS 1.3 it
hangs up."""
TAKE_UP_SPREAD_S = 0.5
"""New credentials are made ready at a moment by chance within this time: files that change for a
whole fleet at once do not bring all of its handshakes and token requests at once. No longer, for a
certificate that is withdrawn has to be out of use within a second."""
START_AGAIN_S = 1.0
END_S = 2.0
"""What does not end in that time is left behind: a reload, and the end of the process, go on."""
WARMTH_S = 2.0
"""So often it is looked whether connections that are to be kept open are there."""


class Line(Exchange):
    """Sends with the newest generation that is ready; a swap costs no exchange its answer."""

    def __init__(
        self,
        name: str,
        setting: settings.Connection,
        apis: Mapping[Api, str],
        *,
        guards: Guards,
        spawn: Spawn,
        clock: Callable[[], datetime],
        luck: Luck,
    ) -> None:
        # A thread that starts with the first use, and that large bodies may keep busy.
        self._parsing = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-parsing")
        self._site = Site(
            setting=setting,
            apis=apis,
            parsing=self._parsing,
            spawn=spawn,
            clock=clock,
            luck=luck,
            token_versions=count(1),
            guards=guards,
            skews={
                endpoint: ClockSkew(clock, took_s=setting.wire.exchange_timeout)
                for endpoint in ("vendor", "token")
            },
        )
        self.source = CredentialSource(name, setting.tls, setting.oauth2, clock=clock)
        self.generation: Generation | None = None
        self._retired: list[Generation] = []
        self._looked = asyncio.Event()
        self._news = asyncio.Event()
        self._is_cold = asyncio.Event()
        self._refused = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._closed = False
        self.last_outcome: Literal["ok"] | Reason | None = None
        self._last_problem = ""

    @property
    def credentials_state(self) -> Literal["not read yet", "good", "unusable"]:
        if self.generation:
            return "good"
        return "unusable" if self._looked.is_set() else "not read yet"

    @property
    def closing(self) -> int:
        self._retired = [one for one in self._retired if one.is_open]
        return len(self._retired)

    @property
    def problem(self) -> str:
        if self.generation and self.generation.tokens and self.generation.tokens.failure:
            return self.generation.tokens.failure.detail
        cold = self.generation.cold_because if self.generation else ""
        return ". ".join(map(str, self.source.problems)) or self._last_problem or cold

    @property
    def open_connections(self) -> int:
        """Those of replaced generations included."""
        generations = (self.generation, *self._retired)
        return sum(one.open_connections for one in generations if one is not None)

    @property
    def clock_skews(self) -> Mapping[str, float]:
        """Seconds by which clocks are ahead of ours, of those among `vendor` and `token` that told.

        They are read off replies (`ClockSkew`); below 0 a clock is behind.
        """
        told = ((name, one.seconds) for name, one in self._site.skews.items())
        return {name: seconds for name, seconds in told if seconds is not None}

    def wall_time(self, moment: float) -> datetime:
        """A moment of `loop.time()`, on the clock on the wall."""
        return self._site.clock() + timedelta(seconds=moment - asyncio.get_running_loop().time())

    def start(self) -> None:
        if self._running is None and not self._closed:
            self._running = self._site.spawn(self._run())
            self._running.add_done_callback(self._ended)

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        try:
            reply = await self._send(request, call)
        except LookupFailed as failure:
            self.last_outcome, self._last_problem = failure.reason, failure.detail
            if failure.reason in MAY_BE_THE_SWAP:
                self._refused.set()
            raise
        self.last_outcome, self._last_problem = "ok", ""
        return reply

    def within(self, request: VendorRequest, link: str) -> VendorRequest | None:
        base_url = self._site.apis.get(request.api)
        return None if base_url is None else follow_link(base_url, request, link)

    async def aclose(self) -> None:
        self._closed = True
        if (running := self._running) is not None:
            running.cancel()
            await asyncio.wait({running}, timeout=END_S)
        for one in (self.generation, *self._retired):
            if one is not None:
                await one.aclose()
        self._parsing.shutdown(wait=False, cancel_futures=True)

    async def _send(self, request: VendorRequest, call: Call) -> VendorReply:
        generation = self.generation
        if generation is None or self._closed:
            generation = await self._serving(call)
        try:
            return await generation.send(request, call)
        except LookupFailed as failure:
            if not (generation.replaced and failure.reason in MAY_BE_THE_SWAP):
                raise
        return await (await self._serving(call)).send(request, call)

    async def _serving(self, call: Call) -> Generation:
        """The generation of the moment. Raises `NotAsked` when there is none."""
        if self._closed:
            raise NotAsked(Reason.CONFIGURATION, "the connection is closed")
        if self.generation is None:
            _check_schemes(self._site)
            self.start()
            await self._first_look(call)
        if self.generation is None:
            failure = self.source.failure or NotAsked(Reason.TLS, "there are no credentials")
            raise NotAsked.instead_of(failure)
        return self.generation

    async def _first_look(self, call: Call) -> None:
        with suppress(TimeoutError):
            async with call.budget.timer():
                with call.aside():
                    await self._looked.wait()
                return
        raise NotAsked(Reason.DEADLINE, "the budget ended before the credentials were read")

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._succession())
            if self._site.warm:
                group.create_task(self._keep_warm())
            await self.source.run(self._heard, lambda _problems: self._looked.set())

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What nobody foresaw is told to the operator, and does not end rotation for good."""
        self._running = None
        if not self._closed and not task.cancelled():
            asyncio.get_running_loop().call_later(START_AGAIN_S, self.start)

    def _heard(self, credentials: Credentials) -> None:
        if self.generation is None:
            self.generation = Generation(self._site, credentials)
            self._is_cold.set()
        self._news.set()
        self._looked.set()

    async def _succession(self) -> None:
        """Each newer version gets a generation, which takes over as soon as it is ready."""
        while True:
            await self._news.wait()
            self._news.clear()
            old = self.generation
            if old is not None and self.source.current is not old.credentials:
                await self._await_turn()
            await self._take_up(self.source.current)

    async def _await_turn(self) -> None:
        """No longer than the present credentials are accepted, where that shows."""
        if self.last_outcome in MAY_BE_THE_SWAP:
            return
        self._refused.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._site.luck() * TAKE_UP_SPREAD_S):
                await self._refused.wait()

    async def _keep_warm(self) -> None:
        """From the first moment on, and whenever connections have been lost."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(WARMTH_S):
                    await self._is_cold.wait()
            self._is_cold.clear()
            if self.generation is not None:
                await self.generation.keep_warm()

    async def _take_up(self, newest: Credentials | None) -> None:
        old = self.generation
        if old is not None and newest is not None and newest is not old.credentials:
            await self._succeed(old, newest)

    async def _succeed(self, old: Generation, credentials: Credentials) -> None:
        successor = Generation(self._site, credentials, inherited=old.token)
        self._site.guards.token.breaker.try_anew()
        try:
            await successor.get_ready(self._site.setting.wire.exchange_timeout)
            self.generation = successor
            self._site.guards.vendor.breaker.try_anew()
        finally:
            if self.generation is not successor:
                await successor.aclose()
        old.retire()
        self._retired = [*(one for one in self._retired if one.is_open), old]


def _check_schemes(site: Site) -> None:
    """Settings say so already; a token over plain HTTP is worth being told twice."""
    schemes = {urlsplit(url).scheme for url in _urls(site)}
    if schemes - {"https"} and not site.setting.insecure:
        raise NotAsked(Reason.CONFIGURATION, "plain HTTP needs `insecure: true`")


def _urls(site: Site) -> Iterator[str]:
    yield from site.apis.values()
    if site.setting.oauth2:
        yield site.setting.oauth2.token_url
