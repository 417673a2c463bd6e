"""Vendors as arithmetic: how long each takes to answer, in a time that is only a number."""

import heapq
import random
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import count
from math import exp
from statistics import fmean
from typing import Protocol

from proxy.guard.limit import AdaptiveLimit

TIMEOUT_S = 1.0


class Vendor(Protocol):
    def takes_s(self, now: float, in_flight: int, luck: random.Random) -> tuple[Hashable, float]:
        """The kind of the next request, and how long its answer takes."""
        ...


@dataclass
class Steady:
    """Takes as long for one as for a thousand at once, more or less."""

    usual_s: Callable[[float], float]
    noise: float = 0.2
    """Standard deviation of the logarithm."""
    slow_share: float = 0.0
    slow_factor: float = 10.0

    def takes_s(self, now: float, in_flight: int, luck: random.Random) -> tuple[Hashable, float]:
        slow = self.slow_factor if luck.random() < self.slow_share else 1.0
        return None, self.usual_s(now) * slow * exp(luck.gauss(0, self.noise))


@dataclass
class Mixed:
    """Some of its answers take much longer than others, by their kind."""

    tells_kinds: bool
    quick_s: float = 0.02
    long_s: float = 0.2

    def takes_s(self, now: float, in_flight: int, luck: random.Random) -> tuple[Hashable, float]:
        kind, usual_s = luck.choice([("quick", self.quick_s), ("long", self.long_s)])
        return kind if self.tells_kinds else None, usual_s * exp(luck.gauss(0, 0.2))


@dataclass
class Queueing:
    """Does so many at once, and lets the others wait in the order in which they came."""

    capacity: int
    usual_s: float = 0.05
    noise: float = 0.2
    free_at: list[float] = field(default_factory=list)

    def takes_s(self, now: float, in_flight: int, luck: random.Random) -> tuple[Hashable, float]:
        works_s = self.usual_s * exp(luck.gauss(0, self.noise))
        is_full = len(self.free_at) == self.capacity
        begins = max(now, heapq.heappop(self.free_at)) if is_full else now
        heapq.heappush(self.free_at, begins + works_s)
        return None, begins + works_s - now


@dataclass
class Sharing:
    """Does all at once, each of them the slower for it beyond so many."""

    capacity: int
    usual_s: float = 0.05

    def takes_s(self, now: float, in_flight: int, luck: random.Random) -> tuple[Hashable, float]:
        crowd = max(1.0, in_flight / self.capacity)
        return None, self.usual_s * crowd * exp(luck.gauss(0, 0.2))


@dataclass
class Story:
    """What became of a limit."""

    limits: list[tuple[float, int]] = field(default_factory=list)
    waits_s: list[tuple[float, float]] = field(default_factory=list)
    lost: int = 0

    def between(self, begin: float, end: float) -> list[int]:
        return [limit for now, limit in self.limits if begin <= now < end]

    def mean(self, begin: float, end: float) -> float:
        return fmean(self.between(begin, end))

    def rate(self, begin: float, end: float) -> float:
        """Answers a second."""
        return sum(begin <= now < end for now, _ in self.waits_s) / (end - begin)


def lived(
    limit: AdaptiveLimit,
    vendor: Vendor,
    *,
    callers: Callable[[float], int],
    until: float,
    seed: int = 1,
) -> Story:
    """`callers` want an answer at a time, each the next as soon as it has one."""
    luck, story, numbers = random.Random(seed), Story(), count()
    under_way: list[tuple[float, int, float, int, Hashable]] = []
    now, size = 0.0, limit.limit
    while now < until:
        while len(under_way) < min(size, callers(now)):
            in_flight = len(under_way) + 1
            kind, took_s = vendor.takes_s(now, in_flight, luck)
            heapq.heappush(
                under_way, (now + min(took_s, TIMEOUT_S), next(numbers), took_s, in_flight, kind)
            )
        if not under_way:
            now += 0.01
            continue
        now, _, took_s, in_flight, kind = heapq.heappop(under_way)
        lost = took_s > TIMEOUT_S
        size = limit.observe(
            min(took_s, TIMEOUT_S), dropped=lost, in_flight=in_flight, now=now, kind=kind
        )
        story.lost += lost
        story.limits.append((now, size))
        story.waits_s.append((now, took_s))
    return story


def quiet_then_busy(now: float) -> int:
    """One caller for two seconds, then more than there are slots."""
    return 1 if now < 2 else 100


def bursts(now: float) -> int:
    """A hundred callers for half a second of every two."""
    return 100 if now % 2 < 0.5 else 0


def busy(_now: float) -> int:
    return 100
