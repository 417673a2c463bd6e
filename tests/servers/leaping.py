"""Time that leaps: tests of what happens in five minutes do not take five minutes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from adapters.lookup import wall_clock


class LeapingClock:
    """The event loop's clock and the wall clock, which leap ahead together."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._loop_time = asyncio.get_running_loop().time

    def leap(self, seconds: float) -> None:
        self._ahead_s += seconds

    def stop(self) -> None:
        """From now on it only leaps: a busy machine takes no time."""
        stopped_at = self._loop_time()
        self._loop_time = lambda: stopped_at

    def loop_time(self) -> float:
        return self._loop_time() + self._ahead_s

    def wall(self) -> datetime:
        return wall_clock() + timedelta(seconds=self._ahead_s)


@contextmanager
def leaping_clock() -> Iterator[LeapingClock]:
    """Every timer of this loop follows; what is due by a leap is called at the next turn."""
    loop = asyncio.get_running_loop()
    clock = LeapingClock()
    loop.time = clock.loop_time  # type: ignore[method-assign]  # asyncio's own loop asks itself
    try:
        yield clock
    finally:
        del loop.time  # the class's is there again
