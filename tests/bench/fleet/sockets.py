"""A member's connections to the vendor: reused while they last, opened when somebody needs one."""

from collections.abc import Callable
from heapq import heapreplace

from proxy.exchange.handshakes import AT_ONCE
from proxy.exchange.warmth import Warmth
from proxy.line import WARMTH_S
from tests.bench.fleet.agenda import Agenda
from tests.bench.fleet.stations import Vendor

KEEP_ALIVE_S = 30.0
"""As of the product's wire."""


class Sockets:
    """Idle ones are closed after `KEEP_ALIVE_S`, but for as many as are kept warm."""

    __slots__ = (
        "_agenda",
        "_connect_timeout_s",
        "_looking",
        "_may_connect",
        "_reaping",
        "_turns",
        "_used_at",
        "_vendor",
        "_warm",
        "_warmth",
        "idle",
        "in_use",
        "version",
    )

    def __init__(
        self,
        agenda: Agenda,
        vendor: Vendor,
        *,
        connect_timeout_s: float,
        warm: int,
        luck: Callable[[], float],
        may_connect: Callable[[], bool],
    ) -> None:
        """`may_connect`: whether connections are opened ahead now."""
        self._agenda = agenda
        self._vendor = vendor
        self._connect_timeout_s = connect_timeout_s
        self._turns = [0.0] * AT_ONCE
        self._warm = warm
        self._warmth = Warmth(luck)
        self._may_connect = may_connect
        self._looking = False
        self._used_at = 0.0
        self._reaping = False
        self.idle = 0
        self.in_use = 0
        self.version = 0
        """Grows whenever all are replaced."""

    def take(self, at: float) -> tuple[float, float, bool]:
        """When one is ready, how long it waited for its turn, and whether it is one at all."""
        self.in_use += 1
        self._warmth.used()
        if self.idle:
            self.idle -= 1
            return at, 0.0, True
        return self._connect(at)

    def _connect(self, at: float) -> tuple[float, float, bool]:
        turn_at = max(at, self._turns[0])
        ready_at = self._vendor.connect(turn_at)
        if ready_at is None:
            return turn_at + 0.001, turn_at - at, False
        late_at = turn_at + self._connect_timeout_s
        heapreplace(self._turns, min(ready_at, late_at))
        if ready_at > late_at:
            self._vendor.hang_up(late_at)
            return late_at, turn_at - at, False
        return ready_at, turn_at - at, True

    def give_back(self, now: float, version: int, *, good: bool) -> None:
        """One that was taken while they were of that version."""
        self.in_use -= 1
        if not good:
            self._look_soon()
            return
        if version != self.version:
            self._vendor.hang_up(now)
            return
        self.idle += 1
        self._used_at = now
        if not self._reaping:
            self._reaping = True
            self._agenda.at(now + KEEP_ALIVE_S, self._reap)

    def lost(self, now: float) -> None:
        """One that was taken is cut off."""
        self.in_use -= 1
        self._vendor.hang_up(now)
        self._look_soon()

    def give_up(self) -> None:
        """One that was taken never came to be."""
        self.in_use -= 1
        self._look_soon()

    def replace(self, now: float, *, opened: int = 0) -> None:
        """All of them: idle ones end now, the others when they come back. `opened` take over."""
        self.version += 1
        self._vendor.hang_up(now, self.idle)
        self.idle = opened
        self._look_soon()

    def open_ahead(self, now: float, number: int) -> tuple[float, int]:
        """When as many as can be had are ready, and how many these are."""
        opened, ready_at = 0, now
        for _ in range(number):
            at, _, is_open = self._connect(now)
            ready_at = max(ready_at, at)
            opened += is_open
        return ready_at, opened

    def begin_warm(self) -> None:
        """They are there from before the run."""
        self.idle = self._warm
        self._warmth.opened(were_lost=True)
        self._vendor.open += self._warm
        self._vendor.connections.reach(0.0, self._vendor.open)

    def _look_soon(self) -> None:
        if not self._looking and self._lack():
            self._looking = True
            self._agenda.at(self._agenda.now + WARMTH_S, self._look)

    def _lack(self) -> int:
        return max(0, self._warm - self.idle - self.in_use)

    def _look(self, _of: object) -> None:
        """As `Generation.keep_warm`, but for one that has aged."""
        now, lack = self._agenda.now, self._lack()
        if self._may_connect() and self._warmth.is_due(now, lacks=lack > 0):
            ready_at, opened = self.open_ahead(now, lack)
            self._agenda.at(ready_at, self._opened, (self.version, opened, lack))
            return
        self._looking = False
        self._look_soon()

    def _opened(self, came: tuple[int, int, int]) -> None:
        version, opened, lacked = came
        now = self._agenda.now
        if version == self.version:
            self.idle += opened
        else:
            self._vendor.hang_up(now, opened)
        if opened < lacked:
            self._warmth.failed(now)
        else:
            self._warmth.opened(were_lost=True)
        self._looking = False
        self._look_soon()

    def _reap(self, _of: object) -> None:
        now = self._agenda.now
        left_s = self._used_at + KEEP_ALIVE_S - now
        if left_s > 0:
            self._agenda.at(now + left_s, self._reap)
            return
        self._reaping = False
        excess = max(0, self.idle - self._warm)
        self._vendor.hang_up(now, excess)
        self.idle -= excess
