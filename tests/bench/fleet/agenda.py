"""What happens next. Time passes only here, from one event to the next."""

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

Deed = Callable[[Any], None]


class Agenda:
    """Events in order of time; those of the same moment in the order they were noted."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds since the run began."""
        self.happened = 0
        self._events: list[tuple[float, int, Deed, Any]] = []
        self._order = count()

    def clock(self) -> float:
        return self.now

    def at(self, when: float, deed: Deed, of: Any = None) -> None:
        """`deed(of)` is done then, or at once if that is over."""
        heapq.heappush(self._events, (max(when, self.now), next(self._order), deed, of))

    def run(self, until: float) -> None:
        """Until nothing is left to do before that moment."""
        events = self._events
        while events and events[0][0] <= until:
            self.now, _, deed, of = heapq.heappop(events)
            self.happened += 1
            deed(of)
