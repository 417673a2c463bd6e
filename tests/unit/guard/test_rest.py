"""What who is asked wants of a breaker, whichever breaker heard it."""

from adapters.outcome import LookupFailed, Reason
from proxy.guard.breaker import Breaker
from proxy.guard.rest import Rest
from tests.unit.guard.breaking import DOWN, QUICK_S, Bench

BUSY = LookupFailed(Reason.RATE_LIMITED, "HTTP 429", retry_after_s=60.0)


def two(bench: Bench) -> tuple[Breaker, Breaker]:
    """Breakers of one vendor, as before and after a reload."""
    rest = Rest()
    first, second = (
        Breaker("vendor", bench.setting, clock=bench.clock, luck=lambda: 0.0, rest=rest)
        for _ in range(2)
    )
    return first, second


def test_what_one_breaker_heard_the_other_keeps_to_until_its_end() -> None:
    bench = Bench()
    first, second = two(bench)
    permit = second.permit()
    first.permit().failure(QUICK_S, BUSY)
    for breaker in (first, second):
        status = breaker.status()
        assert (status.state, status.opens_for_s, status.opened_times) == ("open", 60.0, 1)
        assert status.because.startswith("rate_limited: asks to be left alone for 60 s")
    permit.success(QUICK_S)
    assert second.state_now() == "open", "the outcome is of an earlier state"
    bench.wait(60.0)
    assert second.state_now() == "half_open"
    second.permit().success(QUICK_S)
    assert second.state_now() == "closed"


def test_an_opening_of_its_own_that_ends_before_changes_nothing_of_that() -> None:
    bench = Bench(minimum_calls=1)
    first, second = two(bench)
    second.permit().failure(QUICK_S, DOWN)
    first.permit().failure(QUICK_S, BUSY)
    bench.wait(second.status().opens_for_s)
    assert second.status().opens_for_s > 50
