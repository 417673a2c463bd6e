"""The breaker under every order of asking, ending, forcing and waiting, against a plain model."""

from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.guard.breaker import SPREAD, PermitHeld, later_s
from proxy.guard.switch import Forced
from proxy.guard.window import BUCKETS
from tests.unit.guard.breaking import DOWN, QUICK_S, Bench

PERMITS, MINIMUM, WINDOW_S, OPEN_S, LONGEST_S, LONGEST_REST_S = 2, 4, 10.0, 1.0, 8.0, 60.0
SLOW_S = 0.8
NEAR = pytest.approx


@dataclass(frozen=True)
class Asking:
    permit: PermitHeld
    era: int


class BreakerStory(RuleBasedStateMachine):
    """`era` counts what the model sees change; a permit belongs to the era that gave it."""

    asking = Bundle("asking")

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(
            half_open_permits=PERMITS,
            minimum_calls=MINIMUM,
            window=f"{WINDOW_S}s",
            open_time=f"{OPEN_S}s",
            longest_open_time=f"{LONGEST_S}s",
            longest_retry_after=f"{LONGEST_REST_S}s",
            slow_call=f"{SLOW_S}s",
        )
        self.breaker = self.bench.breaker
        self.state = "closed"  # as the model has it: "open" turns "half_open" by a probe
        self.forced: Forced = None
        self.era = 0
        self.out = 0  # probes under way
        self.failed_probes = 0
        self.opens_until = 0.0
        self.rests_until = 0.0  # by `Retry-After`
        self.refused_for_s = 1.0  # as the last one heard who might not ask
        self.seen: list[tuple[float, bool, bool]] = []  # when, failed, slow

    @property
    def now(self) -> float:
        return self.bench.clock.now

    def shown(self) -> str:
        if self.forced:
            return f"forced_{self.forced}"
        is_over = self.state == "open" and self.now >= self.opens_until
        return "half_open" if is_over else self.state

    def enter(self, state: str) -> None:
        self.state = state
        self.era += 1
        self.out = 0

    def open(self, *, at_least_until: float = 0.0) -> None:
        """For how long is the breaker's own choice, within what is promised."""
        self.failed_probes += self.state == "half_open"
        self.enter("open")
        own_s = min(OPEN_S * 2**self.failed_probes, LONGEST_S / (1 + SPREAD))
        opens_for_s = self.breaker.status().opens_for_s
        asked_s = max(0.0, at_least_until - self.now)
        earliest = max(own_s * (1 - SPREAD), asked_s)
        latest = max(min(own_s * (1 + SPREAD), LONGEST_S), asked_s + later_s(asked_s))
        assert NEAR(earliest) == min(earliest, opens_for_s)
        assert NEAR(latest) == max(latest, opens_for_s)
        self.opens_until = self.now + opens_for_s

    @rule(luck=st.floats(0, 0.999))
    def chance(self, luck: float) -> None:
        self.bench.luck = luck

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.0, 9.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.bench.wait(seconds)

    @rule()
    def look(self) -> None:
        may_ask = self.may_ask()
        try:
            self.breaker.admit()
        except NotAsked:
            assert not may_ask
        else:
            assert may_ask

    def may_ask(self) -> bool:
        if self.shown() == "half_open":
            return self.state == "open" or self.out < PERMITS
        return self.shown() in {"closed", "forced_closed"}

    @rule(target=asking)
    def ask(self) -> object:
        may_ask = self.may_ask()
        try:
            permit = self.breaker.permit()
        except NotAsked as refused:
            assert not may_ask
            self.refused_for_s = refused.retry_after_s or 0.0
            return multiple()
        assert may_ask, "a permit is lost, or one too many"
        if self.shown() == "half_open":
            if self.state == "open":
                self.enter("half_open")
            self.out += 1
        return Asking(permit, self.era)

    @rule(target=asking)
    def a_crowd_asks(self) -> object:
        asked = [self.ask() for _ in range(PERMITS + 2)]
        return multiple(*(one for one in asked if isinstance(one, Asking)))

    def ends(self, one: Asking) -> bool:
        """Whether its outcome counts."""
        if one.era == self.era:
            self.out -= self.state == "half_open" and not self.forced
            return True
        return False

    @rule(one=consumes(asking))
    def neither(self, one: Asking) -> None:
        before = self.breaker.status()
        one.permit.neither()
        self.ends(one)
        assert self.breaker.status() == before

    @rule(one=consumes(asking), took_s=st.sampled_from([QUICK_S, SLOW_S, 5.0]), again=st.booleans())
    def succeed(self, one: Asking, took_s: float, *, again: bool) -> None:
        before = self.breaker.status()
        one.permit.success(took_s)
        if again:
            one.permit.failure(took_s, DOWN)
        if self.ends(one):
            self.judge(failed=False, slow=took_s >= SLOW_S)
        else:
            assert self.breaker.status() == before

    @rule(one=consumes(asking), took_s=st.sampled_from([QUICK_S, SLOW_S]), again=st.booleans())
    def fail(self, one: Asking, took_s: float, *, again: bool) -> None:
        before = self.breaker.status()
        one.permit.failure(took_s, DOWN)
        if again:
            one.permit.success(took_s)
        if self.ends(one):
            self.judge(failed=True, slow=took_s >= SLOW_S)
        else:
            assert self.breaker.status() == before

    def judge(self, *, failed: bool, slow: bool) -> None:
        self.seen.append((self.now, failed, slow))
        if self.forced:
            return
        if self.state == "half_open":
            if failed or slow:
                self.open()
            else:
                self.close()
        elif self.is_too_bad():
            self.open()

    def close(self) -> None:
        self.enter("closed")
        self.failed_probes = 0
        self.seen = []

    def counted(self) -> list[tuple[float, bool, bool]]:
        tenth = WINDOW_S / BUCKETS
        return [one for one in self.seen if one[0] // tenth > self.now // tenth - BUCKETS]

    def is_too_bad(self) -> bool:
        counted = self.counted()
        failures, slow = sum(one[1] for one in counted), sum(one[2] for one in counted)
        enough = len(counted) >= MINIMUM
        return enough and (failures >= len(counted) * 0.5 or slow >= len(counted) * 0.8)

    @rule(
        one=consumes(asking),
        rest_s=st.sampled_from([0.1, 5.0, 60.0, 3600.0]),
        reason=st.sampled_from([Reason.RATE_LIMITED, Reason.VENDOR_ERROR]),
    )
    def ask_for_rest(self, one: Asking, rest_s: float, reason: Reason) -> None:
        shown, opened_until = self.shown(), self.opens_until
        one.permit.failure(QUICK_S, LookupFailed(reason, retry_after_s=rest_s))
        if self.ends(one):
            self.seen.append((self.now, True, False))
        asked_until = self.now + min(rest_s, LONGEST_REST_S)
        self.rests_until = max(self.rests_until, asked_until)
        if self.forced:
            return
        if shown == "open":
            self.opens_until = self.now + self.breaker.status().opens_for_s
            assert self.opens_until >= max(opened_until, asked_until) - 1e-6
        else:
            self.open(at_least_until=asked_until)

    @rule(forced=st.sampled_from(["open", "closed", None]))
    def force(self, forced: Forced) -> None:
        before, self.forced = self.forced, forced
        shown = self.breaker.force(forced).state
        if forced == before:
            return
        self.era += 1
        self.out = 0
        if forced:
            return
        self.state = shown
        if shown == "open":
            self.opens_until = self.now + self.breaker.status().opens_for_s
            assert self.opens_until >= self.rests_until - 1e-6
        else:
            assert shown == ("half_open" if before == "open" else "closed")
            if shown == "closed":
                self.failed_probes = 0

    @precondition(lambda self: self.shown() == "closed")
    @rule()
    def the_vendor_dies(self) -> None:
        while self.state == "closed":
            one = self.ask()
            assert isinstance(one, Asking)
            self.fail(one, QUICK_S, again=False)

    @precondition(lambda self: self.shown() == "open")
    @rule()
    def its_time_is_over(self) -> None:
        self.bench.wait(self.breaker.status().opens_for_s + 1e-6)
        assert self.shown() == "half_open"

    @precondition(lambda self: not self.forced)
    @rule()
    def it_heals(self) -> None:
        """Whatever came before: one open time and one probe, and traffic flows."""
        if self.shown() == "half_open" and not self.may_ask():
            return  # the probes under way decide
        self.bench.wait(self.breaker.status().opens_for_s + 1e-6)
        while self.shown() != "closed":
            probe = self.ask()
            assert isinstance(probe, Asking)
            self.succeed(probe, QUICK_S, again=False)

    @invariant()
    def it_is_as_the_model_has_it(self) -> None:
        status = self.breaker.status()
        assert status.state == self.breaker.state_now() == self.shown()
        assert status.forced is (self.forced is not None)
        assert status.calls == len(self.counted())

    @invariant()
    def nobody_asks_while_the_vendor_wants_to_be_left_alone(self) -> None:
        if self.now < self.rests_until - 1e-6:
            assert self.shown() in {"open", "forced_open", "forced_closed"}

    @invariant()
    def who_may_not_ask_hears_when_to_come_back(self) -> None:
        assert 0 < self.refused_for_s < LONGEST_REST_S + 1e-6

    @invariant()
    def no_more_probes_than_permitted(self) -> None:
        assert 0 <= self.out <= PERMITS


TestBreakerStory = BreakerStory.TestCase
TestBreakerStory.settings = settings(max_examples=max(100, settings().max_examples))
