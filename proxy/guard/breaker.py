"""Whether anybody may be asked at all: pybreaker's circuit breaker with states of our own.

Time comes from outside and is monotonic. Nothing waits here, and no task or timer runs: an open
breaker whose time is over is half-open as soon as somebody looks.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, cast

import pybreaker

from adapters.outcome import LookupFailed, NotAsked, Reason
from config import settings
from proxy.guard.breaker_states import (
    FORCED_CLOSED,
    FORCED_OPEN,
    Closed,
    Closes,
    ForcedClosed,
    ForcedOpen,
    HalfOpen,
    Open,
    Opening,
    Opens,
    State,
    StateName,
    because_of,
    reason_of,
)
from proxy.guard.clock import Clock, loop_time
from proxy.guard.rest import NOT_ASKED_FOR, Rest
from proxy.guard.switch import Forced, Switch
from proxy.guard.window import Window

SPREAD = 0.2
"""An open time is so much shorter or longer by chance: sidecars do not come back together."""
LATER, LATER_S = 0.1, 2.0
"""And a `Retry-After` is kept to, plus up to so much of it, or as long again up to so many seconds:
a fleet that was asked to come back in a second would else do so within a tenth of one."""
GIVEN_BACK = "given back: an operator had forced it open"
_DOUBLINGS = 64
_ASKED_TO_REST = {Reason.RATE_LIMITED, Reason.VENDOR_ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerStatus:
    """What a person sees of a breaker."""

    name: str
    state: StateName
    forced: bool
    """An operator wants it so."""
    opens_for_s: float
    """Seconds until it tries again; 0 unless it is open by itself."""
    because: str
    """What opened it: a reason, `slow`, `forced` or `given back`, a colon, and our own words; empty
    when it is closed by itself."""
    calls: int
    """Exchanges that ended within the window; those that say nothing are not counted."""
    failure_rate: float
    slow_call_rate: float
    opened_times: int
    """Since it was made."""


class Breaker(pybreaker.CircuitBreaker):
    """Decides by the outcomes of who asked. Ask with `permit`; `admit` only looks."""

    _state: State
    _name: str

    def __init__(
        self,
        name: str,
        setting: settings.Breaker,
        *,
        clock: Clock = loop_time,
        luck: Callable[[], float] = random.random,
        switch: Switch | None = None,
        rest: Rest | None = None,
    ) -> None:
        self.setting = setting
        self._clock = clock
        self._luck = luck
        self._switch = switch or Switch()
        self._window = Window(setting.window)
        self._opening = NOT_ASKED_FOR
        self._rest = rest or Rest()
        self._failed_probes = 0
        self._opened_times = 0
        begins = {None: "closed", "open": FORCED_OPEN, "closed": FORCED_CLOSED}
        super().__init__(
            name=name,
            state_storage=pybreaker.CircuitMemoryStorage(begins[self._switch.forced]),
            throw_new_error_on_trip=False,
        )

    def admit(self) -> None:
        """Raises `NotAsked` when nobody may ask now. Takes nothing."""
        now = self._clock()
        if refusal := self._current(now).refusal(now):
            raise refusal

    def permit(self) -> "PermitHeld":
        """To ask once, and to tell what came of it. Raises `NotAsked` as `admit` does."""
        now = self._clock()
        state = self._current(now)
        if isinstance(state, Open) and state.is_over(now):
            self.half_open()
            state = self._state
        if refusal := state.refusal(now):
            raise refusal
        state.take()
        return PermitHeld(self, state)

    def force(self, forced: Forced) -> BreakerStatus:
        """As an operator wants it, or `None`: by itself again.

        Forced open before, it begins with a probe; forced closed, with the outcomes seen so far.
        """
        self._switch.forced = forced
        return self.status()

    def state_now(self) -> StateName:
        now = self._clock()
        return self._current(now).name_at(now)

    def status(self) -> BreakerStatus:
        return self.status_in(self._current(self._clock()))

    def status_in(self, state: State) -> BreakerStatus:
        """As it is when it is in `state`."""
        now = self._clock()
        calls = self._window.calls(now)
        return BreakerStatus(
            name=self._name,
            state=state.name_at(now),
            forced=state.forced is not None,
            opens_for_s=state.opens_for_s(now),
            because=state.because(),
            calls=calls,
            failure_rate=self._window.failures(now) / calls if calls else 0.0,
            slow_call_rate=self._window.slow(now) / calls if calls else 0.0,
            opened_times=self._opened_times,
        )

    def on_change(self, tell: Callable[[BreakerStatus], object]) -> None:
        """`tell` is called soon after each change, by the event loop that runs then.

        Turning half-open is told when the first probe goes out, for nothing happens before.
        """
        self.add_listener(_Listener(tell))

    def judge(self, state: State, took_s: float, failure: LookupFailed | None) -> None:
        """What became of a permit of `state`. Of an earlier one only a `Retry-After` counts."""
        now = self._clock()
        current = self._current(now)
        decision = state.judge(now, took_s, failure) if state is current else None
        if failure is not None and (rest_s := _rest_s(failure)):
            self._leave_alone(now, rest_s, failure)
        elif isinstance(decision, Opens):
            self._open(now, decision.reason, decision.because)
        elif decision is Closes.CLOSES:
            self.close()

    def close(self) -> None:
        """Pybreaker's transition. What was seen before counts only if it was closed by force."""
        self._failed_probes = 0
        if self._state.forced is None:
            self._window.clear()
        super().close()

    def try_anew(self) -> None:
        """Something has changed that may help, such as credentials: a probe may go at once.

        Whoever asked to be left alone for a time still is, and an operator's wish stands.
        """
        now = self._clock()
        state = self._current(now)
        if type(state) is Open and self._rest.asked.until <= now:
            self._failed_probes = 0
            self.half_open()

    def call(self, func: object, *args: object, **kwargs: object) -> NoReturn:
        """Pybreaker's way of asking never sees what a coroutine came to."""
        raise TypeError("a breaker is asked with permit()")

    def _current(self, now: float) -> State:
        """The state, once the operator's wish is followed, or else that of who is asked.

        The latter may have been told to another breaker, before a reload.
        """
        if self._state.forced != self._switch.forced:
            self._follow(now)
        elif self._rest.asked.until > now and self._lets_somebody_ask(now):
            self._open_for_rest(now)
        return self._state

    def _lets_somebody_ask(self, now: float) -> bool:
        """And no operator wants it so or otherwise."""
        state = self._state
        return state.forced is None and (not isinstance(state, Open) or state.is_over(now))

    def _follow(self, now: float) -> None:
        forced = self._switch.forced
        if forced is not None:
            self._state_storage.state = FORCED_OPEN if forced == "open" else FORCED_CLOSED
            _ = self.state  # pybreaker sees that the storage differs, and makes the transition
        elif self._rest.asked.until > now:
            self._open_for_rest(now)
        elif isinstance(self._state, Open):
            self._opening = Opening(now, Reason.BREAKER_OPEN, GIVEN_BACK)
            self.half_open()
        else:
            self.close()

    def _leave_alone(self, now: float, rest_s: float, failure: LookupFailed) -> None:
        """The vendor wants to be left alone: at least so long, and at once."""
        longest_s = self.setting.longest_retry_after
        rest_s = min(rest_s, longest_s)
        wait_s = min(rest_s + later_s(rest_s) * self._luck(), longest_s)
        because = because_of(failure, f"asks to be left alone for {rest_s:g} s")
        asked = Opening(now + wait_s, reason_of(failure), because)
        if asked.until > self._rest.asked.until:
            self._rest.asked = asked
        state = self._state
        if self._lets_somebody_ask(now):
            self._open_for_rest(now)
        elif type(state) is Open and asked.until > state.opening.until:
            state.opening = self._opening = asked

    def _open_for_rest(self, now: float) -> None:
        asked = self._rest.asked
        self._open(now, asked.reason, asked.because, until=asked.until)

    def _open(self, now: float, reason: Reason, because: str, *, until: float = 0.0) -> None:
        """For as long as it has come to, and `until` then at least."""
        if isinstance(self._state, HalfOpen):
            self._failed_probes += 1
        self._opening = Opening(max(until, now + self._open_time_s()), reason, because)
        self._opened_times += 1
        self.open()

    def _open_time_s(self) -> float:
        """Twice as long with each probe that has failed, up to a limit that chance keeps to."""
        doubled = self.setting.open_time * 2.0 ** min(self._failed_probes, _DOUBLINGS)
        longest = self.setting.longest_open_time / (1 + SPREAD)
        return min(doubled, longest) * (1 - SPREAD + 2 * SPREAD * self._luck())

    def _create_new_state(
        self,
        new_state: str,
        prev_state: pybreaker.CircuitBreakerState | None = None,
        notify: bool = False,  # noqa: FBT001, FBT002  (pybreaker's signature)
    ) -> State:
        """Pybreaker's hook, a private one: its version is pinned, and a test watches it."""
        setting, window, opening = self.setting, self._window, self._opening
        if new_state in {pybreaker.STATE_CLOSED, FORCED_CLOSED}:
            closed = Closed if new_state == pybreaker.STATE_CLOSED else ForcedClosed
            return closed(self, prev_state, notify=notify, setting=setting, window=window)
        if new_state == pybreaker.STATE_HALF_OPEN:
            return HalfOpen(
                self, prev_state, notify=notify, setting=setting, window=window, opening=opening
            )
        opened = Open if new_state == pybreaker.STATE_OPEN else ForcedOpen
        return opened(self, prev_state, notify=notify, opening=opening)


class PermitHeld:
    """To be given back once, by one of the three; what comes later changes nothing."""

    __slots__ = ("_breaker", "_state")

    def __init__(self, breaker: Breaker, state: State) -> None:
        self._breaker = breaker
        self._state: State | None = state

    def success(self, took_s: float) -> None:
        """`took_s`: seconds that the vendor took; our own lateness is not among them."""
        self._end(took_s, None)

    def failure(self, took_s: float, failure: LookupFailed) -> None:
        self._end(took_s, failure)

    def neither(self) -> None:
        """It says nothing about the vendor."""
        if self._state is not None:
            self._state.give_back()
            self._state = None

    def _end(self, took_s: float, failure: LookupFailed | None) -> None:
        if (state := self._state) is not None:
            self.neither()
            self._breaker.judge(state, took_s, failure)


class _Listener(pybreaker.CircuitBreakerListener):
    """Tells of a change in a turn of its own, so that what it raises reaches nobody who asks."""

    def __init__(self, tell: Callable[[BreakerStatus], object]) -> None:
        self._tell = tell

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        status = cast("Breaker", cb).status_in(cast("State", new_state))
        asyncio.get_running_loop().call_soon(self._tell, status)


def later_s(rest_s: float) -> float:
    """How much later than a `Retry-After` somebody may come back, by chance."""
    return max(LATER * rest_s, min(rest_s, LATER_S))


def _rest_s(failure: LookupFailed) -> float:
    """For how long the vendor wants to be left alone; 0: it does not say."""
    if isinstance(failure, NotAsked) or failure.reason not in _ASKED_TO_REST:
        return 0.0
    return max(0.0, failure.retry_after_s or 0.0)
