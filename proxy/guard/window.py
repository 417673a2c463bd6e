"""How the latest exchanges went, by time rather than by number. Pure."""

from collections import deque

BUCKETS = 10


class _Bucket:
    __slots__ = ("calls", "failures", "number", "slow")

    def __init__(self, number: int) -> None:
        self.number = number
        self.calls = self.failures = self.slow = 0


class Window:
    """Counts of what ended within the last `length_s` seconds, to a tenth of them.

    Its memory is bounded by its buckets, whatever the load.
    """

    def __init__(self, length_s: float) -> None:
        self._width_s = length_s / BUCKETS
        self._buckets: deque[_Bucket] = deque()
        self._calls = self._failures = self._slow = 0

    def add(self, now: float, *, failed: bool, slow: bool) -> None:
        """One exchange that ended at `now`."""
        bucket = self._bucket(now)
        bucket.calls += 1
        self._calls += 1
        if failed:
            bucket.failures += 1
            self._failures += 1
        if slow:
            bucket.slow += 1
            self._slow += 1

    def calls(self, now: float) -> int:
        self._forget(self._number(now))
        return self._calls

    def failures(self, now: float) -> int:
        self._forget(self._number(now))
        return self._failures

    def slow(self, now: float) -> int:
        self._forget(self._number(now))
        return self._slow

    def counts(self, now: float) -> tuple[int, int, int]:
        """Calls, failures and slow ones."""
        self._forget(self._number(now))
        return self._calls, self._failures, self._slow

    def clear(self) -> None:
        self._buckets.clear()
        self._calls = self._failures = self._slow = 0

    def _number(self, now: float) -> int:
        return int(now // self._width_s)

    def _bucket(self, now: float) -> _Bucket:
        number = self._number(now)
        if self._buckets and self._buckets[-1].number >= number:
            return self._buckets[-1]
        self._forget(number)
        bucket = _Bucket(number)
        self._buckets.append(bucket)
        return bucket

    def _forget(self, number: int) -> None:
        while self._buckets and self._buckets[0].number <= number - BUCKETS:
            old = self._buckets.popleft()
            self._calls -= old.calls
            self._failures -= old.failures
            self._slow -= old.slow
