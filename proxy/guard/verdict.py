"""What the outcome of one exchange says about who was asked. Pure."""

from enum import Enum, auto

from adapters.outcome import LookupFailed, NotAsked, Reason
from config import settings

LATE_SHARE = 0.25
"""Of an exchange's time. When our own event loop was late for more, a timeout is our own too."""

LEAST_LATE_S = 0.05
"""Less makes nobody miss anything: a connection that is refused at once is refused all the same."""

_BLAMED = {
    Reason.UNREACHABLE,
    Reason.TLS,
    Reason.AUTH,  # its own 401 or 403; without a token it is `NotAsked`
    Reason.VENDOR_ERROR,
    Reason.BAD_RESPONSE,
    Reason.RATE_LIMITED,
    Reason.OVERLOAD,  # a database's own "too many connections"; a queue of ours is `NotAsked`
}
_TIMEOUTS = {Reason.UNREACHABLE, Reason.DEADLINE}


class Verdict(Enum):
    SUCCESS = auto()
    """It answered, if only that there is no such thing."""
    FAILURE = auto()
    NEITHER = auto()
    """It says nothing: the vendor was not asked, had no fair chance, or the fault is ours."""


def verdict(
    failure: LookupFailed | None, *, took_s: float, late_s: float, setting: settings.Breaker
) -> Verdict:
    """`took_s`: how long the exchange took; `late_s`: how long of it our event loop was late.

    `failure`: `None` for a valid answer, an empty one or "no such customer" included.
    """
    if failure is None:
        return Verdict.SUCCESS
    if isinstance(failure, NotAsked):
        return Verdict.NEITHER
    if failure.reason is Reason.VENDOR_ERROR and failure.lasting:
        return Verdict.NEITHER  # a 400 is about this one request: an odd id must not cut off others
    if failure.reason in _TIMEOUTS and late_s > max(took_s * LATE_SHARE, LEAST_LATE_S):
        return Verdict.NEITHER
    if failure.reason is Reason.DEADLINE:
        had_a_chance = took_s - late_s >= setting.fair_chance
        return Verdict.FAILURE if had_a_chance else Verdict.NEITHER
    return Verdict.FAILURE if failure.reason in _BLAMED else Verdict.NEITHER
