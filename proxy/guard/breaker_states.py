"""The states of a breaker: who may ask in each of them, and what an outcome leads to.

    closed         traffic flows; outcomes are counted
    open           nobody asks, until a moment
    half-open      a few may ask; the first outcome decides
    forced_open    nobody asks, as an operator wants it
    forced_closed  traffic flows, as an operator wants it; outcomes are counted and lead to nothing

They are pybreaker's, with rules of our own. Each object of them is one era: a permit belongs to
the object that gave it, and its outcome counts only as long as that is the breaker's state.
"""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Literal, TypeAlias

from pybreaker import (
    CircuitBreaker,
    CircuitBreakerState,
    CircuitClosedState,
    CircuitHalfOpenState,
    CircuitOpenState,
)

from adapters.outcome import LookupFailed, NotAsked, Reason
from config import settings
from proxy.guard.switch import Forced
from proxy.guard.window import Window

FORCED_OPEN = "forced_open"
FORCED_CLOSED = "forced_closed"
FORCED_RETRY_AFTER_S = 5.0

StateName: TypeAlias = Literal["closed", "open", "half_open", "forced_open", "forced_closed"]


@dataclass(frozen=True, slots=True)
class Opening:
    """Why a breaker opened, and for how long."""

    until: float
    reason: Reason
    """What those hear who may not ask: `breaker_open`, or `rate_limited` after a 429."""
    because: str
    """A reason or `slow`, a colon, and our own words."""


@dataclass(frozen=True, slots=True)
class Opens:
    """What an outcome leads to: nobody asks for a while."""

    reason: Reason
    because: str


class Closes(Enum):
    """What an outcome leads to: traffic flows again."""

    CLOSES = "closes"


Decision: TypeAlias = Opens | Closes | None


def reason_of(failure: LookupFailed) -> Reason:
    """The reason that those hear who may not ask because of a failure."""
    limited = failure.reason is Reason.RATE_LIMITED
    return Reason.RATE_LIMITED if limited else Reason.BREAKER_OPEN


def because_of(failure: LookupFailed, words: str) -> str:
    """The failure's reason, our own words, and its detail where it has one."""
    return f"{failure.reason}: {words}" + (f" ({failure.detail})" if failure.detail else "")


class Closed(CircuitClosedState):
    """Traffic flows."""

    forced: ClassVar[Forced] = None

    def __init__(
        self,
        breaker: CircuitBreaker,
        before: CircuitBreakerState | None,
        *,
        notify: bool,
        setting: settings.Breaker,
        window: Window,
    ) -> None:
        self._setting = setting
        self._window = window
        self._last = Reason.BREAKER_OPEN, ""
        super().__init__(breaker, before, notify)

    def name_at(self, now: float) -> StateName:
        return "closed"

    def opens_for_s(self, now: float) -> float:
        return 0.0

    def because(self) -> str:
        return ""

    def refusal(self, now: float) -> NotAsked | None:
        """What somebody hears who may not ask now."""
        return None

    def take(self) -> None:
        """Somebody asks."""

    def give_back(self) -> None:
        """Somebody has asked, whatever came of it."""

    def judge(self, now: float, took_s: float, failure: LookupFailed | None) -> Decision:
        """What the outcome of somebody who asked leads to."""
        setting, window = self._setting, self._window
        window.add(now, failed=failure is not None, slow=took_s >= setting.slow_call)
        if failure is not None:
            self._last = failure.reason, failure.detail  # the exception itself holds frames
        calls, failures, slow = window.counts(now)
        if calls < setting.minimum_calls:
            return None
        if failures >= calls * setting.failure_rate:
            last = LookupFailed(*self._last)
            words = f"{failures} of {calls} exchanges failed in {setting.window:g} s"
            return Opens(reason_of(last), because_of(last, words))
        if slow >= calls * setting.slow_call_rate:
            words = f"{slow} of {calls} exchanges took {setting.slow_call:g} s or longer"
            return Opens(Reason.BREAKER_OPEN, f"slow: {words}")
        return None


class ForcedClosed(Closed):
    """Traffic flows, whatever comes of it."""

    forced: ClassVar[Forced] = "closed"

    @property
    def name(self) -> str:
        return FORCED_CLOSED

    def name_at(self, now: float) -> StateName:
        return "forced_closed"

    def because(self) -> str:
        return "forced: an operator wants it closed"

    def judge(self, now: float, took_s: float, failure: LookupFailed | None) -> Decision:
        super().judge(now, took_s, failure)
        return None


class Open(CircuitOpenState):
    """Nobody asks until a moment. Then it is half-open in all but name until somebody asks."""

    forced: ClassVar[Forced] = None

    def __init__(
        self,
        breaker: CircuitBreaker,
        before: CircuitBreakerState | None,
        *,
        notify: bool,
        opening: Opening,
    ) -> None:
        self.opening = opening
        super().__init__(breaker, before, notify)

    def is_over(self, now: float) -> bool:
        return now >= self.opening.until

    def name_at(self, now: float) -> StateName:
        return "half_open" if self.is_over(now) else "open"

    def opens_for_s(self, now: float) -> float:
        return max(0.0, self.opening.until - now)

    def because(self) -> str:
        return self.opening.because

    def refusal(self, now: float) -> NotAsked | None:
        if self.is_over(now):
            return None
        opening = self.opening
        return NotAsked(opening.reason, opening.because, retry_after_s=opening.until - now)

    def take(self) -> None: ...

    def give_back(self) -> None: ...

    def judge(self, now: float, took_s: float, failure: LookupFailed | None) -> Decision:
        return None


class ForcedOpen(Open):
    """Nobody asks until an operator wants otherwise."""

    forced: ClassVar[Forced] = "open"

    @property
    def name(self) -> str:
        return FORCED_OPEN

    def is_over(self, now: float) -> bool:
        return False

    def name_at(self, now: float) -> StateName:
        return "forced_open"

    def opens_for_s(self, now: float) -> float:
        return 0.0

    def because(self) -> str:
        return "forced: an operator wants it open"

    def refusal(self, now: float) -> NotAsked | None:
        return NotAsked(Reason.BREAKER_OPEN, self.because(), retry_after_s=FORCED_RETRY_AFTER_S)


class HalfOpen(CircuitHalfOpenState):
    """A few may ask, and the first outcome decides."""

    forced: ClassVar[Forced] = None

    def __init__(
        self,
        breaker: CircuitBreaker,
        before: CircuitBreakerState | None,
        *,
        notify: bool,
        setting: settings.Breaker,
        window: Window,
        opening: Opening,
    ) -> None:
        self._setting = setting
        self._window = window
        self._opening = opening
        self._asking = 0
        super().__init__(breaker, before, notify)

    def name_at(self, now: float) -> StateName:
        return "half_open"

    def opens_for_s(self, now: float) -> float:
        return 0.0

    def because(self) -> str:
        return self._opening.because

    def refusal(self, now: float) -> NotAsked | None:
        if self._asking < self._setting.half_open_permits:
            return None
        return NotAsked(
            self._opening.reason,
            "its probes are under way",
            retry_after_s=self._setting.open_time,
        )

    def take(self) -> None:
        self._asking += 1

    def give_back(self) -> None:
        self._asking -= 1

    def judge(self, now: float, took_s: float, failure: LookupFailed | None) -> Decision:
        slow = took_s >= self._setting.slow_call
        self._window.add(now, failed=failure is not None, slow=slow)
        if failure is not None:
            return Opens(reason_of(failure), because_of(failure, "a probe failed"))
        if slow:
            return Opens(Reason.BREAKER_OPEN, f"slow: a probe took {took_s:.2g} s")
        return Closes.CLOSES


State: TypeAlias = Closed | Open | HalfOpen
