"""How long another process took, on a machine that has other work to do."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_TICK_S = 0.005
_STALL_S = 0.01
"""A timer that is later than this was kept waiting. Less is how timers are, and added up over many
ticks it would flatter whoever is measured."""


class _Lateness:
    """Adds up how late the timers of this event loop go off."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due = loop.time()
        self.total_s = 0.0
        self._timer = loop.call_soon(self._tick)

    def stop(self) -> None:
        self._timer.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        late_s = now - self._due
        self.total_s += late_s if late_s > _STALL_S else 0.0
        self._due = now + _TICK_S
        self._timer = self._loop.call_at(self._due, self._tick)


@contextmanager
def lateness() -> Iterator[Callable[[], float]]:
    """Seconds so far, of the block, in which this event loop was kept from running."""
    meter = _Lateness(asyncio.get_running_loop())
    try:
        yield lambda: meter.total_s
    finally:
        meter.stop()


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """Seconds of the block, without those in which this event loop was kept from running.

    A timer goes off late because of other processes, or because of the test's own servers in this
    loop. Whoever is measured was kept waiting too, and is not to blame for it. What runs in this
    loop itself can't be measured so: its own work would be left out.
    """
    loop = asyncio.get_running_loop()
    began = ended = loop.time()
    with lateness() as late_s:
        try:
            yield lambda: ended - began - late_s()
        finally:
            ended = loop.time()
