"""Why an answer is less than it could be, for a header and for `Retry-After`. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

from adapters.outcome import Lookup, Reason, Unavailable

T = TypeVar("T")

RETRY_AFTER_S = 5
"""What is said where nobody knows: soon, yet not so soon that pods hammer a dead vendor."""
LONGEST_RETRY_AFTER_S = 60


@dataclass(frozen=True, slots=True)
class Degradation:
    """What an answer lacks."""

    reason: Reason
    """The most frequent one; of equals, the first in the order of `Reason`."""
    unavailable: int
    """Customers about whom nobody could say."""
    retry_after_s: int
    """Whole seconds, 1 to 60, after which asking again may help."""

    @property
    def header(self) -> str:
        """The value of `BSS-Degraded`."""
        return f"{self.reason};unavailable={self.unavailable}"


def degradation(lookups: Iterable[Lookup[T]]) -> Degradation | None:
    """`None` when everything is live. Stale answers alone have nobody unavailable."""
    unavailable: list[Unavailable] = []
    stale = False
    for one in lookups:
        if isinstance(one, Unavailable):
            unavailable.append(one)
        elif one.stale:
            stale = True
    if not unavailable:
        return Degradation(Reason.STALE, 0, RETRY_AFTER_S) if stale else None
    counts = Counter(one.reason for one in unavailable)
    reason = max(Reason, key=lambda one: counts[one])  # of equals, `max` keeps the first
    return Degradation(reason, len(unavailable), _retry_after_s(unavailable))


def _retry_after_s(unavailable: Iterable[Unavailable]) -> int:
    """The earliest moment at which anybody may be answered."""
    known = [one.retry_after_s for one in unavailable if one.retry_after_s is not None]
    return min(max(ceil(min(known, default=RETRY_AFTER_S)), 1), LONGEST_RETRY_AFTER_S)
