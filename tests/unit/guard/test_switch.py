"""What an operator wants of a breaker."""

import pytest

from adapters.outcome import LookupFailed, Reason
from proxy.guard.switch import Forced, Switch
from tests.unit.guard.breaking import DOWN, QUICK_S, Bench


def test_forced_open_nobody_asks_for_however_long() -> None:
    bench = Bench()
    bench.breaker.force("open")
    for _ in range(3):
        refused = bench.refusal()
        assert refused is not None
        assert (refused.reason, refused.retry_after_s) == (Reason.BREAKER_OPEN, 5.0)
        bench.wait(1e6)
    status = bench.breaker.status()
    assert (status.state, status.forced) == ("forced_open", True)
    assert status.because == "forced: an operator wants it open"


def test_forced_closed_everybody_asks_and_outcomes_are_seen_but_lead_to_nothing() -> None:
    bench = Bench(minimum_calls=1)
    bench.breaker.force("closed")
    bench.fail(20)
    bench.fail(failure=LookupFailed(Reason.RATE_LIMITED, retry_after_s=60.0))
    bench.succeed(took_s=60.0)
    status = bench.breaker.status()
    assert (status.state, status.forced) == ("forced_closed", True)
    assert (status.calls, status.opened_times) == (22, 0)
    assert bench.refusal() is None


@pytest.mark.parametrize("forced", ["open", "closed"])
def test_a_force_works_in_every_state(forced: Forced) -> None:
    for bench in (Bench(), Bench().opened(), Bench().half_opened()):
        assert bench.breaker.force(forced).state == f"forced_{forced}"
        assert (bench.refusal() is None) is (forced == "closed")


def test_what_was_forced_open_begins_with_a_probe() -> None:
    bench = Bench(half_open_permits=1)
    bench.breaker.force("open")
    status = bench.breaker.force(None)
    assert status.state == "half_open"
    assert not status.forced
    assert status.because == "given back: an operator had forced it open"
    permit = bench.breaker.permit()
    assert bench.refusal() is not None
    permit.success(QUICK_S)
    assert bench.breaker.state_now() == "closed"


def test_what_was_forced_closed_goes_on_with_what_it_saw() -> None:
    bench = Bench(minimum_calls=10)
    bench.breaker.force("closed")
    bench.fail(20)
    assert bench.breaker.force(None).state == "closed"
    bench.fail()
    assert bench.breaker.state_now() == "open"


def test_an_open_one_is_closed_when_a_force_to_close_it_ends() -> None:
    bench = Bench(minimum_calls=10).opened()
    bench.breaker.force("closed")
    bench.wait(bench.setting.window)
    bench.succeed(10)
    assert bench.breaker.force(None).state == "closed"


@pytest.mark.parametrize("forced", ["open", "closed"])
def test_a_retry_after_heard_under_force_is_kept_to_when_the_force_ends(forced: Forced) -> None:
    bench = Bench(luck=0.0)
    late = bench.breaker.permit()
    bench.breaker.force(forced)
    late.failure(QUICK_S, LookupFailed(Reason.RATE_LIMITED, retry_after_s=60.0))
    bench.wait(20.0)
    assert bench.breaker.state_now() == f"forced_{forced}"
    status = bench.breaker.force(None)
    assert status.state == "open"
    assert status.opens_for_s == pytest.approx(40.0)


@pytest.mark.parametrize("forced", ["open", "closed"])
def test_an_outcome_from_before_a_force_changes_nothing(forced: Forced) -> None:
    bench = Bench(minimum_calls=1)
    before, under = bench.breaker.permit(), bench.breaker.permit()
    status = bench.breaker.force(forced)
    under.failure(QUICK_S, DOWN)
    assert bench.breaker.status() == status
    status = bench.breaker.force(None)
    before.failure(QUICK_S, DOWN)
    assert bench.breaker.status() == status


def test_a_force_from_one_to_the_other_and_the_same_again() -> None:
    bench = Bench()
    states = [bench.breaker.force(f).state for f in ("open", "closed", "closed", "open", None)]
    assert states == ["forced_open", "forced_closed", "forced_closed", "forced_open", "half_open"]


def test_a_force_outlives_the_breaker() -> None:
    switch = Switch()
    bench = Bench(switch=switch)
    bench.breaker.force("open")
    newer = bench.another(switch)
    assert newer.state_now() == "forced_open"
    assert newer.force(None).state == "half_open"
    assert bench.breaker.state_now() == "half_open", "they follow the same switch"


def test_breakers_of_their_own_have_switches_of_their_own() -> None:
    one, other = Bench(), Bench()
    one.breaker.force("open")
    assert other.breaker.state_now() == "closed"
