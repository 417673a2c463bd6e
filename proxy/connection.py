"""One configured vendor endpoint: who we are to it, its sockets, and the stack that guards them."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from adapters.exchange import Api, Exchange
from adapters.lookup import wall_clock
from adapters.outcome import Reason
from config import settings
from proxy.credentials.renewal import Luck, Spawn
from proxy.credentials.snapshot import Credentials
from proxy.credentials.source import CredentialSource
from proxy.guard.slots import Slots
from proxy.line import Line
from proxy.pipeline import exchange_stack


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
    credentials_version: int | None
    """Of those that serve; it grows with each swap."""
    credentials_loaded_at: datetime | None
    certificate_ends: datetime | None
    token_version: int | None
    """Of the token that is being sent; it grows with each."""
    token_ends_at: datetime | None
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
    ) -> None:
        """`apis`: base URL of each API, with a slash at its end."""
        self._name = name
        self._vendor = setting.vendor
        self._slots = Slots(setting.wire.concurrency, queue_length=setting.wire.queue_length)
        self._line = Line(name, setting, apis, spawn=spawn, clock=clock, luck=luck)
        self.exchange: Exchange = exchange_stack(self._line, slots=self._slots)

    @property
    def source(self) -> CredentialSource:
        """The files as they are now."""
        return self._line.source

    @property
    def credentials(self) -> Credentials | None:
        """Those that exchanges begin with."""
        generation = self._line.generation
        return generation.credentials if generation else None

    def start(self) -> None:
        """Begins to read the files, and to watch them."""
        self._line.start()

    def status(self) -> ConnectionStatus:
        line, credentials = self._line, self.credentials
        token = line.generation.token if line.generation else None
        return ConnectionStatus(
            name=self._name,
            vendor=self._vendor,
            in_flight=self._slots.taken,
            queued=self._slots.waiting,
            last_outcome=line.last_outcome,
            credentials=line.credentials_state,
            credentials_version=credentials.version if credentials else None,
            credentials_loaded_at=credentials.loaded_at if credentials else None,
            certificate_ends=credentials.certificate_ends if credentials else None,
            token_version=token.version if token else None,
            token_ends_at=line.wall_time(token.ends_at) if token else None,
            closing=line.closing,
            file_problems=tuple(map(str, line.source.problems)),
            file_warnings=tuple(map(str, line.source.warnings)),
            problem=line.problem,
        )

    async def aclose(self) -> None:
        """Ends what is in flight."""
        await self._line.aclose()
