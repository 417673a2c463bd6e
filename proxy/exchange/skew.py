"""How far somebody else's clock is from ours, by the `Date` of replies (RFC 9110, 6.6.1)."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

DATE_S = 1.0
"""A `Date` has whole seconds."""
AGAIN = timedelta(seconds=1)
"""Replies come by the hundred; one a second says as much."""


def skew_s(date: datetime, now: datetime, took_s: float) -> float:
    """Seconds by which a reply's `date` is ahead of ours, at the least; below 0 it is behind.

    0 for whatever is explained by a reply that was under way for up to `took_s`.
    """
    ahead = (date - now).total_seconds()
    if ahead > 0:
        return ahead
    return min(0.0, ahead + took_s + DATE_S)


class ClockSkew:
    """Of one of those who are asked: it hears the headers of their replies."""

    def __init__(self, clock: Callable[[], datetime], *, took_s: float) -> None:
        """`took_s`: how long a reply may have been under way."""
        self._clock = clock
        self._took_s = took_s
        self._heard_at: datetime | None = None
        self.seconds: float | None = None
        """As of the latest reply that told; `None`: none did."""

    def heard(self, headers: Mapping[str, str]) -> None:
        """`headers` with names in lower case. What is no date, and what a cache kept, says nothing.

        A date too far away for arithmetic is none either.
        """
        now = self._clock()
        if self._heard_at is not None and timedelta(0) <= now - self._heard_at < AGAIN:
            return
        text = headers.get("date", "")
        if not text or "age" in headers:
            return
        self._heard_at = now
        try:
            date = parsedate_to_datetime(text[:64])
            date = date if date.tzinfo else date.replace(tzinfo=UTC)
            self.seconds = skew_s(date, now, self._took_s)
        except (ValueError, TypeError, OverflowError):
            return
