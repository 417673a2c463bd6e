"""What an entry is good for, by the times it carries. Pure: `now_ms` and chance are arguments.

    asked        fresh until                          ends
      |------------------|................................|
         FRESH: live       STALE: when nobody can say       GONE

Times are milliseconds since 1970. An entry is as old as its question: what the vendor said was
true after that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from math import log
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from adapters.outcome import Found, Lookup, Missing
from config import settings
from proxy.cache.seal import CLOCK_TOLERANCE_MS, LONGEST_MS

T = TypeVar("T")

Luck: TypeAlias = Callable[[], float]
"""At random, from 0 to just below 1."""
Known: TypeAlias = Found[T] | Missing
"""What may be kept: somebody could say."""

JITTER = 0.1
"""By up to this part of it a life is shorter: what was learned together does not end together."""
BASIS_BYTES = 8
NO_BASIS = bytes(BASIS_BYTES)
_LEAD = 2.0
"""An early refresh has time for so many lookups like the last one."""
_SPREAD = 1 / 20
"""Part of a life over which the first of many callers thins out before that."""
_EARLIEST = 1 / 2
"""Part of a life in which nothing is refreshed."""


class State(Enum):
    FRESH = auto()  # as good as asking
    STALE = auto()  # stands in when nobody can say
    GONE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """How long answers live, in milliseconds."""

    ttl_ms: int
    negative_ttl_ms: int
    """Of the answer that there is no such customer; never longer than `ttl_ms`."""
    staleness_ms: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.negative_ttl_ms <= self.ttl_ms or self.staleness_ms < 0:
            raise ValueError("an entry lives for a time, and a negative one for no longer")
        if self.ttl_ms + self.staleness_ms > LONGEST_MS:
            raise ValueError("nothing of anybody is kept for more than 300 s")

    @classmethod
    def of(cls, setting: settings.Cache) -> "Lives":
        ttl_ms = max(1, round(setting.ttl * 1000))
        negative_ttl_ms = max(1, round(setting.negative_ttl * 1000))
        return cls(
            ttl_ms=ttl_ms,
            negative_ttl_ms=min(negative_ttl_ms, ttl_ms),
            staleness_ms=round(setting.staleness * 1000),
        )

    def fresh_ms(self, known: "Known[object]") -> int:
        return self.negative_ttl_ms if isinstance(known, Missing) else self.ttl_ms

    def stale_ms(self, known: "Known[object]") -> int:
        """A `no` that may be outdated is worse than to say that nobody could be asked."""
        return 0 if isinstance(known, Missing) else self.staleness_ms


class Entry(NamedTuple, Generic[T]):
    """What is kept of one customer for one question. Personal data, so its repr is empty."""

    known: Known[T]
    asked_at_ms: int
    fresh_until_ms: int
    ends_at_ms: int
    cost_ms: int
    """What it took to find out."""
    basis: bytes = NO_BASIS
    """Of the section that it was learned for."""

    def __repr__(self) -> str:
        return "Entry()"


def entry_of(
    lookup: Lookup[T],
    *,
    asked_at_ms: int,
    learned_at_ms: int,
    lives: Lives,
    luck: float,
    basis: bytes = NO_BASIS,
) -> Entry[T] | None:
    """What is to be kept of what was said; `None`: nothing, for nobody could say, or nobody live.

    `luck` shortens the fresh life.
    """
    if not isinstance(lookup, Found | Missing) or lookup.stale:
        return None
    life_ms = lives.fresh_ms(lookup)
    fresh_until_ms = asked_at_ms + max(1, round(life_ms * (1 - JITTER * luck)))
    if learned_at_ms >= fresh_until_ms:
        return None
    return Entry(
        known=lookup,
        asked_at_ms=asked_at_ms,
        fresh_until_ms=fresh_until_ms,
        ends_at_ms=fresh_until_ms + lives.stale_ms(lookup),
        cost_ms=max(0, learned_at_ms - asked_at_ms),
        basis=basis,
    )


def judge(entry: Entry[T], *, now_ms: int, lives: Lives) -> State:
    """What it is good for now, to one who lets answers live as `lives` has it.

    Whoever kept it may have had other settings: the shorter life counts.
    """
    age_ms = now_ms - entry.asked_at_ms
    fresh_ms = lives.fresh_ms(entry.known)
    if age_ms < -CLOCK_TOLERANCE_MS:
        return State.GONE
    if now_ms < entry.fresh_until_ms and age_ms < fresh_ms:
        return State.FRESH
    usable_ms = fresh_ms + lives.stale_ms(entry.known)
    stale = lives.stale_ms(entry.known) and now_ms < entry.ends_at_ms and age_ms < usable_ms
    return State.STALE if stale else State.GONE


def fresh_for_ms(entry: Entry[T], *, now_ms: int, lives: Lives) -> int:
    """What is left of its fresh life; 0 or less: nothing."""
    until_ms = min(entry.fresh_until_ms, entry.asked_at_ms + lives.fresh_ms(entry.known))
    return until_ms - now_ms


def is_due(entry: Entry[T], *, now_ms: int, lives: Lives, luck: float) -> bool:
    """Whether who uses a fresh entry now should have it refreshed, so that nobody waits at its end.

    Probabilistic early expiration (Vattani et al., VLDB 2015): the nearer the end, the likelier, so
    that of all the callers of a fleet one or a few begin. It is certain while one more lookup just
    fits, and never in the first half of a life: who is asked about seldom is not asked for more.
    """
    left_ms = fresh_for_ms(entry, now_ms=now_ms, lives=lives)
    life_ms = left_ms + now_ms - entry.asked_at_ms
    if not 0 < left_ms <= _EARLIEST * life_ms:
        return False
    return left_ms <= _LEAD * entry.cost_ms - log(1 - luck) * _SPREAD * life_ms
