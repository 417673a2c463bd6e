"""How much may be asked again, so that retries never multiply what a failing vendor has to bear."""

from proxy.guard.clock import Clock, loop_time

MOST_SAVED = 10.0
"""Retries that quiet times may save up for a bad moment."""


class RetryBudget:
    """Each request pays in a share of a retry, each second a few; each retry takes out one.

    Over any span there are at most `share` × requests + `floor_per_s` × seconds + `MOST_SAVED`
    retries, and since the beginning at most `share` × requests + `floor_per_s` × (1 + seconds).
    """

    __slots__ = ("_clock", "_floor_per_s", "_left", "_seen_at", "_share")

    def __init__(self, share: float, floor_per_s: float, clock: Clock = loop_time) -> None:
        self._share = share
        self._floor_per_s = floor_per_s
        self._clock = clock
        self._left = min(floor_per_s, MOST_SAVED)
        self._seen_at: float | None = None

    def asked(self) -> None:
        """Something is asked for the first time."""
        self._pay_in(self._share)

    def take(self) -> bool:
        """Whether something may be asked again. It counts as done when it may."""
        self._pay_in(0.0)
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def charge(self) -> None:
        """Something was asked again by who could not wait for a leave. It may leave a debt."""
        self._pay_in(-1.0)

    def _pay_in(self, retries: float) -> None:
        """These, and the floor since this was done before; time begins with the first."""
        now = self._clock()
        seconds = 0.0 if self._seen_at is None else now - self._seen_at
        self._seen_at = now
        saved = min(self._left + self._floor_per_s * seconds, MOST_SAVED)
        self._left = min(saved + retries, MOST_SAVED)
