"""How long answers took lately."""

from collections import deque
from math import ceil

ENOUGH = 20
"""Fewer answers than this say nothing about a tail."""
REMEMBERED = 256


class Latencies:
    """The latest answers' times, in bounded memory."""

    __slots__ = ("_sorted", "_took_s")

    def __init__(self) -> None:
        self._took_s: deque[float] = deque(maxlen=REMEMBERED)
        self._sorted: list[float] | None = None

    def observe(self, took_s: float) -> None:
        self._took_s.append(took_s)
        self._sorted = None

    def quantile(self, share: float) -> float | None:
        """The time within which that share of the answers came; `None` after too few of them."""
        if len(self._took_s) < ENOUGH:
            return None
        if self._sorted is None:
            self._sorted = sorted(self._took_s)
        return self._sorted[max(ceil(share * len(self._sorted)) - 1, 0)]
