"""How many may be asked at once, given how long their answers take.

Who is asked more than it can do at once makes everybody wait, and shows it: answers take longer
than they do when hardly anything else is asked. Measured is the ratio of the two, for each kind
of request by itself. The limit then follows a gradient: it shrinks as far as that ratio is too
high, and grows by its own square root with each look, up to the ceiling.

A vendor may also become slower by itself, and then it helps nobody to ask it less for ever. So
what is usual is learned anew all the time from what is asked when hardly anything else is; where
that never happens, because there is always more to ask than may be, the limit dips to its floor
for a moment now and then.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from math import exp, log, sqrt

TOLERATED = 2.0
"""Answers may take so much longer than alone before anything is done."""
STEEPEST = 0.5
"""The most that one look leaves of a limit."""
LOST_SHARE = 0.2
"""Share of requests without an answer, or refused for their number, from which on it shrinks."""
FEWEST, MOST = 10, 20
"""Requests that one look goes by: as many as the limit, within these."""
LOOK_S = 30.0
"""What is older does not count."""
MEMORY_S = 60.0
"""How long it takes until a vendor that has become slower by itself is taken as it is. What was
usual longer ago is forgotten."""
KNOWN = 0.05
"""The most that one request changes what is usual, once there were some."""
KINDS = 32
"""Kinds of requests that are told apart at most."""


@dataclass(slots=True)
class Usual:
    """How long one kind of request takes when hardly anything else is asked: a geometric mean,
    in which a few slow ones weigh little.
    """

    log_s: float = 0.0
    seen: int = 0
    seen_at: float = 0.0

    def learn(self, log_s: float, now: float) -> None:
        self.seen = 1 if now - self.seen_at > MEMORY_S else self.seen + 1
        weight = 1 / self.seen
        if weight < KNOWN:
            weight = min(KNOWN, (now - self.seen_at) / MEMORY_S)
        self.log_s += weight * (log_s - self.log_s)
        self.seen_at = now


@dataclass(slots=True)
class Look:
    """What was observed since the limit last changed."""

    began: float
    seen: int = 0
    lost: int = 0
    compared: int = 0
    log_ratios: float = 0.0
    most_in_flight: int = 0

    @property
    def slowdown(self) -> float:
        """How much longer answers took than usual; 1 when that can't be said."""
        return exp(self.log_ratios / self.compared) if self.compared else 1.0


class AdaptiveLimit:
    """Between `floor`, which is always let through, and `ceiling`, where it starts."""

    def __init__(self, floor: int, ceiling: int) -> None:
        self._floor = float(min(floor, ceiling))
        self._ceiling = float(ceiling)
        self._limit = self._ceiling
        self._usual: dict[Hashable, Usual] = {}
        self._look = Look(began=0.0)
        self._quiet_at = 0.0
        """When something was last asked while hardly anything else was."""
        self._before_dip: float | None = None

    @property
    def limit(self) -> int:
        return int(self._limit)

    def is_slow(self, took_s: float, kind: Hashable = None) -> bool:
        """Whether that is well over what is usual; false when nothing is usual yet."""
        usual = self._usual.get(kind)
        return usual is not None and took_s > TOLERATED * exp(usual.log_s)

    def observe(
        self, took_s: float, *, dropped: bool, in_flight: int, now: float, kind: Hashable = None
    ) -> int:
        """The limit, after one request that took so long.

        `dropped`: no answer within its time, or refused because there were too many. `in_flight`:
        when it began, itself included. Requests of one `kind` take about equally long.
        """
        log_s = log(max(took_s, 1e-6))
        if not dropped and in_flight <= self._floor:
            self._quiet_at = now
            self._learn(kind, log_s, now)
        if now - took_s >= self._look.began:  # what began before tells of the limit before
            self._compare(kind, log_s, dropped=dropped, in_flight=in_flight)
            self._judge(now)
        return self.limit

    def _learn(self, kind: Hashable, log_s: float, now: float) -> None:
        if kind in self._usual or len(self._usual) < KINDS:
            self._usual.setdefault(kind, Usual()).learn(log_s, now)

    def _compare(self, kind: Hashable, log_s: float, *, dropped: bool, in_flight: int) -> None:
        look = self._look
        look.seen += 1
        look.lost += dropped
        look.most_in_flight = max(look.most_in_flight, in_flight)
        usual = self._usual.get(kind)
        if usual and not dropped:
            look.compared += 1
            look.log_ratios += log_s - usual.log_s

    def _judge(self, now: float) -> None:
        look = self._look
        if look.seen < min(max(FEWEST, self._limit), MOST):
            if now - look.began > LOOK_S:
                self._look = Look(began=now)
            return
        self._limit = min(self._ceiling, max(self._floor, self._next(look, now)))
        self._look = Look(began=now)

    def _next(self, look: Look, now: float) -> float:
        limit, before_dip, self._before_dip = self._limit, self._before_dip, None
        if look.lost >= LOST_SHARE * look.seen:
            return limit * STEEPEST
        if before_dip is not None:
            return before_dip
        if look.most_in_flight < limit / 2:  # it says nothing of what so many would do
            return limit
        if limit < self._ceiling and now - self._quiet_at > MEMORY_S:
            self._before_dip = limit
            return self._floor
        return limit * max(STEEPEST, min(1.0, TOLERATED / look.slowdown)) + sqrt(limit)
