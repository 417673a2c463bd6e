"""One configured vendor endpoint: who we are to it, its sockets, and the stack that guards them."""

import random
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Literal

from adapters.exchange import Api, Exchange, VendorRequest
from adapters.lookup import wall_clock
from adapters.outcome import Reason
from config import settings
from proxy.credentials.renewal import Luck, Spawn
from proxy.credentials.snapshot import Credentials
from proxy.credentials.source import CredentialSource
from proxy.generation import Guards
from proxy.guard.breaker import Breaker, BreakerStatus
from proxy.guard.guard import Guard, Surroundings
from proxy.guard.slots import Slots
from proxy.guard.switch import Forced
from proxy.line import Line
from proxy.pipeline import GuardedExchange

VENDOR, TOKEN = "vendor", "token"
"""Names of a connection's breakers, as an operator knows them."""
OF_A_TOKEN_ENDPOINT = {
    "window": 30.0,
    "minimum_calls": 3,
    "longest_open_time": 5.0,
    "slow_call": inf,
}
"""It is asked once for all, and seldom: few calls over a longer time must do to judge it. A slow
one harms nobody, since tokens are renewed ahead of their end. While it is left alone nobody who
needs a token is served, so that is never for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatus:
    """What the status page shows of a connection. Nothing personal and no secret is in it."""

    name: str
    vendor: str
    in_flight: int
    queued: int
    open_connections: int
    """To the vendor, and to its token endpoint: in use or idle."""
    concurrency_limit: int
    """Exchanges that are let through at once now."""
    breakers: Mapping[str, BreakerStatus]
    last_outcome: Literal["ok"] | Reason | None
    """Of the latest exchange that had a slot; `None` before the first."""
    credentials: Literal["not read yet", "good", "unusable"]
    credentials_version: int | None
    """Of those that serve; it grows with each swap."""
    credentials_loaded_at: datetime | None
    certificate_ends: datetime | None
    token_version: int | None
    """Of the token that is being sent; it grows with each."""
    token_ends_at: datetime | None
    clock_skews: Mapping[str, float]
    """Seconds by which the clock of `vendor` and of `token` (the issuer) is ahead of ours."""
    closing: int
    """Generations of credentials that were replaced, and still finish what they began."""
    file_problems: tuple[str, ...]
    """What is wrong with the credentials' files as they are now, and what to do; the last good
    ones serve on."""
    file_warnings: tuple[str, ...]
    problem: str
    """What is wrong with the credentials or the token endpoint, or else what was with the latest
    exchange, for the operator; or empty."""


class VendorConnection:
    """Starts when it is told to, or with its first exchange: nothing is read, no task is started
    and no socket made, before.

    Missing or bad files make its exchanges fail with the reason; it comes alive when they are
    good, and takes up new ones whenever they change.
    """

    def __init__(
        self,
        name: str,
        setting: settings.Connection,
        apis: Mapping[Api, str],
        *,
        spawn: Spawn,
        clock: Callable[[], datetime] = wall_clock,
        luck: Luck = random.random,
        around: Callable[[str], Surroundings] = lambda _breaker: Surroundings(),
    ) -> None:
        """`apis`: base URL of each API, with a slash at its end.

        `around` gives the surroundings of a guard by the name of its breaker.
        """
        self._name = name
        self._vendor = setting.vendor
        self._guards = _guards(setting, around)
        self._breakers = {VENDOR: self._guards.vendor.breaker}
        if setting.oauth2 is not None:
            self._breakers[TOKEN] = self._guards.token.breaker
        self._line = Line(
            name, setting, apis, guards=self._guards, spawn=spawn, clock=clock, luck=luck
        )
        self.exchange: Exchange = GuardedExchange(self._line, self._guards.vendor)
        self._guards.vendor.breaker.on_change(self._breaker_changed)

    @property
    def source(self) -> CredentialSource:
        """The files as they are now."""
        return self._line.source

    @property
    def credentials(self) -> Credentials | None:
        """Those that exchanges begin with."""
        generation = self._line.generation
        return generation.credentials if generation else None

    @property
    def breakers(self) -> Mapping[str, Breaker]:
        """By name: who may not be asked now, and whom an operator can force."""
        return self._breakers

    @property
    def slots(self) -> Slots:
        """Of its exchanges."""
        return self._guards.vendor.slots

    def force(self, breaker: str, forced: Forced) -> BreakerStatus:
        """The breaker as it is from now on. `KeyError`: there is none of that name."""
        return self._breakers[breaker].force(forced)

    def start(self) -> None:
        """Begins to read the files, and to watch them."""
        self._line.start()

    def status(self, *, with_breakers: bool = True) -> ConnectionStatus:
        """Without its breakers it is had for half, by who asks every second."""
        line, credentials, slots = self._line, self.credentials, self.slots
        token = line.generation.token if line.generation else None
        return ConnectionStatus(
            name=self._name,
            vendor=self._vendor,
            in_flight=slots.taken,
            queued=slots.waiting,
            open_connections=line.open_connections,
            concurrency_limit=slots.size,
            breakers={name: one.status() for name, one in self._breakers.items() if with_breakers},
            last_outcome=line.last_outcome,
            credentials=line.credentials_state,
            credentials_version=credentials.version if credentials else None,
            credentials_loaded_at=credentials.loaded_at if credentials else None,
            certificate_ends=credentials.certificate_ends if credentials else None,
            token_version=token.version if token else None,
            token_ends_at=line.wall_time(token.ends_at) if token else None,
            clock_skews=line.clock_skews,
            closing=line.closing,
            file_problems=tuple(map(str, line.source.problems)),
            file_warnings=tuple(map(str, line.source.warnings)),
            problem=line.problem,
        )

    async def aclose(self) -> None:
        """Ends what is in flight."""
        await self._line.aclose()

    def _breaker_changed(self, status: BreakerStatus) -> None:
        """A probe goes on a connection of its own.

        Those that were open may be what is wrong: a firewall forgot them, or the vendor has moved.
        A vendor that limits its callers is there, and is spared the handshakes.
        """
        reason, generation = status.because.partition(":")[0], self._line.generation
        if status.state == "open" and reason != Reason.RATE_LIMITED and generation is not None:
            generation.connect_anew()


def _kind(request: VendorRequest) -> Hashable:
    return request.api


def _guards(setting: settings.Connection, around: Callable[[str], Surroundings]) -> Guards:
    wire, guard = setting.wire, setting.guard
    breaker = guard.breaker.model_copy(update=OF_A_TOKEN_ENDPOINT)
    return Guards(
        vendor=Guard.of(
            VENDOR,
            guard,
            concurrency=wire.concurrency,
            queue_length=wire.queue_length,
            kind=_kind,
            around=around(VENDOR),
        ),
        token=Guard.of(TOKEN, guard.model_copy(update={"breaker": breaker}), around=around(TOKEN)),
    )
