"""A member's connections to the vendor: reused while they last, opened when somebody needs one."""

from heapq import heapreplace

from proxy.exchange.handshakes import AT_ONCE
from tests.bench.fleet.agenda import Agenda
from tests.bench.fleet.stations import Vendor

KEEP_ALIVE_S = 30.0
"""As of the product's wire."""


class Sockets:
    """Idle ones are closed after `KEEP_ALIVE_S`, but for as many as are kept warm."""

    __slots__ = (
        "_agenda",
        "_connect_timeout_s",
        "_reaping",
        "_turns",
        "_used_at",
        "_vendor",
        "_warm",
        "idle",
        "in_use",
        "version",
    )

    def __init__(
        self, agenda: Agenda, vendor: Vendor, *, connect_timeout_s: float, warm: int
    ) -> None:
        self._agenda = agenda
        self._vendor = vendor
        self._connect_timeout_s = connect_timeout_s
        self._turns = [0.0] * AT_ONCE
        self._warm = warm
        self._used_at = 0.0
        self._reaping = False
        self.idle = 0
        self.in_use = 0
        self.version = 0
        """Grows whenever all are replaced."""

    def take(self, at: float) -> tuple[float, float, bool]:
        """When one is ready, how long it waited for its turn, and whether it is one at all."""
        self.in_use += 1
        if self.idle:
            self.idle -= 1
            return at, 0.0, True
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

    def give_up(self) -> None:
        """One that was taken never came to be."""
        self.in_use -= 1

    def replace(self, now: float) -> None:
        """All of them: idle ones end now, the others when they come back."""
        self.version += 1
        self._vendor.hang_up(now, self.idle)
        self.idle = 0

    def warm_up(self, now: float) -> int:
        """Opens as many as are kept warm, and says how many of them failed."""
        failed = 0
        for _ in range(self._warm - self.idle - self.in_use):
            ready_at = self._vendor.connect(now)
            if ready_at is None or ready_at > now + self._connect_timeout_s:
                failed += 1
                if ready_at is not None:
                    self._vendor.hang_up(now + self._connect_timeout_s)
            else:
                self.idle += 1
        return failed

    def begin_warm(self) -> None:
        """They are there from before the run."""
        self.idle = self._warm
        self._vendor.open += self._warm
        self._vendor.connections.reach(0.0, self._vendor.open)

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
