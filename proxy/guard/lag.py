"""How late our own event loop is, so that nobody else is blamed for it."""

import asyncio
from types import TracebackType
from typing import Self

BEAT_S = 0.05
_STALL_S = 0.01
"""A beat that is later than this was kept waiting. Less is how timers are."""


class LoopLag:
    """A heartbeat of the event loop, which beats only while somebody watches.

    A stall is seen but for its part before the beat that it held up: half a beat on average. One
    for each event loop; everybody may watch the same.
    """

    def __init__(self) -> None:
        self._watching = 0
        self._late_s = 0.0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def watched(self) -> "Watch":
        """`with lag.watched() as watch:` around what may be held up."""
        return Watch(self)

    @property
    def is_beating(self) -> bool:
        return self._timer is not None

    def begin(self) -> float:
        """Somebody watches from now on. How late it has been in all, as `end` tells it."""
        self._watching += 1
        if self._timer is None:
            self._beat_again(asyncio.get_running_loop())
        return self.late_s()

    def end(self) -> None:
        """Somebody watches no longer. The next beat is the last if nobody else does."""
        self._watching -= 1

    def late_s(self) -> float:
        """Seconds in all until now, a beat that is overdue included."""
        overdue_s = asyncio.get_running_loop().time() - self._due if self._timer else 0.0
        return self._late_s + (overdue_s if overdue_s > _STALL_S else 0.0)

    def _beat(self) -> None:
        self._late_s = self.late_s()
        self._timer = None
        if self._watching:
            self._beat_again(asyncio.get_running_loop())

    def _beat_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + BEAT_S
        self._timer = loop.call_at(self._due, self._beat)


class Watch:
    """How late the event loop was between the beginning and the end of a `with`."""

    __slots__ = ("_began_at", "_ended_at", "_lag")

    def __init__(self, lag: LoopLag) -> None:
        self._lag = lag
        self._began_at = 0.0
        self._ended_at: float | None = None

    def late_s(self) -> float:
        until = self._lag.late_s() if self._ended_at is None else self._ended_at
        return until - self._began_at

    def __enter__(self) -> Self:
        self._began_at = self._lag.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended_at = self._lag.late_s()
        self._lag.end()
