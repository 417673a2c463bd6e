import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.guard.breaker import LATER, LATER_S, SPREAD, later_s
from tests.unit.guard.breaking import DOWN, QUICK_S, Bench

LIMITED = LookupFailed(Reason.RATE_LIMITED, "429")


def asking_for_rest(seconds: float, reason: Reason = Reason.RATE_LIMITED) -> LookupFailed:
    return LookupFailed(reason, retry_after_s=seconds)


# closed


def test_it_begins_closed_and_lets_everybody_ask() -> None:
    bench = Bench()
    assert bench.breaker.state_now() == "closed"
    assert [bench.refusal() for _ in range(1000)] == [None] * 1000


def test_it_judges_nobody_before_the_minimum_of_calls() -> None:
    bench = Bench(minimum_calls=10)
    bench.fail(9)
    assert bench.breaker.state_now() == "closed"
    bench.fail()
    assert bench.breaker.state_now() == "open"


def test_it_opens_at_the_failure_rate() -> None:
    bench = Bench(minimum_calls=10, failure_rate=0.5)
    bench.succeed(6)
    bench.fail(5)
    assert bench.breaker.state_now() == "closed"
    bench.fail()
    assert bench.breaker.state_now() == "open"


def test_the_call_that_completes_the_minimum_may_be_a_success() -> None:
    bench = Bench(minimum_calls=10, failure_rate=0.5)
    bench.fail(9)
    bench.succeed()
    assert bench.breaker.state_now() == "open"
    assert bench.breaker.status().because.startswith("unreachable: 9 of 10 exchanges failed")


def test_it_opens_at_the_rate_of_slow_calls() -> None:
    bench = Bench(minimum_calls=10, slow_call="800ms", slow_call_rate=0.8)
    bench.succeed(2, took_s=0.799)
    bench.succeed(7, took_s=0.8)
    assert bench.breaker.state_now() == "closed"
    bench.succeed(took_s=0.8)
    assert bench.breaker.state_now() == "open"
    assert bench.breaker.status().because.startswith("slow: 8 of 10 exchanges")


def test_failures_beyond_the_window_are_forgotten() -> None:
    bench = Bench(minimum_calls=10, window="10s")
    bench.fail(9)
    bench.wait(10.0)
    bench.fail(9)
    assert bench.breaker.state_now() == "closed"


def test_an_outcome_that_says_nothing_is_not_counted() -> None:
    bench = Bench(minimum_calls=1)
    for _ in range(100):
        bench.breaker.permit().neither()
    assert bench.breaker.status().calls == 0


def test_a_permit_counts_once() -> None:
    bench = Bench()
    permit = bench.breaker.permit()
    permit.success(QUICK_S)
    permit.success(QUICK_S)
    permit.failure(QUICK_S, DOWN)
    permit.neither()
    status = bench.breaker.status()
    assert (status.calls, status.failure_rate) == (1, 0.0)


# open


def test_an_open_one_refuses_everybody_and_says_until_when() -> None:
    bench = Bench(open_time="1s").opened()
    bench.wait(0.25)
    refused = bench.refusal()
    assert refused is not None
    assert refused.reason is Reason.BREAKER_OPEN
    assert refused.retry_after_s == pytest.approx(0.75)


def test_the_refusal_says_what_opened_it() -> None:
    bench = Bench(minimum_calls=10, window="10s").opened()
    refused = bench.refusal()
    assert refused is not None
    assert refused.detail == "unreachable: 10 of 10 exchanges failed in 10 s (no connection)"


def test_it_is_half_open_when_its_time_is_over_though_nobody_asks() -> None:
    bench = Bench(open_time="1s").opened()
    bench.wait(0.999)
    assert bench.breaker.state_now() == bench.breaker.status().state == "open"
    bench.wait(0.001)
    assert bench.breaker.state_now() == bench.breaker.status().state == "half_open"


def test_looking_at_an_open_one_takes_no_probe() -> None:
    bench = Bench(half_open_permits=1).half_opened()
    for _ in range(5):
        bench.breaker.admit()
    bench.breaker.permit()
    with pytest.raises(NotAsked):
        bench.breaker.admit()


@pytest.mark.parametrize("luck", [0.0, 0.3, 0.999])
def test_each_probe_that_fails_doubles_the_open_time_up_to_a_limit(luck: float) -> None:
    bench = Bench(luck=luck, open_time="1s", longest_open_time="30s").half_opened()
    times_s = []
    for _ in range(100):
        bench.fail()
        times_s.append(bench.breaker.status().opens_for_s)
        bench.wait(times_s[-1])
    chance = 1 - SPREAD + 2 * SPREAD * luck
    assert times_s[:4] == pytest.approx([2 * chance, 4 * chance, 8 * chance, 16 * chance])
    assert times_s[4:] == pytest.approx([25 * chance] * 96)
    assert max(times_s) <= 30.0


def test_at_its_limit_the_open_time_is_still_left_to_chance() -> None:
    times_s = set()
    for luck in (0.0, 0.5, 0.999):
        bench = Bench(luck=luck, open_time="30s", longest_open_time="30s").opened()
        times_s.add(round(bench.breaker.status().opens_for_s, 1))
    assert times_s == {20.0, 25.0, 30.0}


def test_closing_brings_the_open_time_back_to_its_beginning() -> None:
    bench = Bench(open_time="1s").half_opened()
    for _ in range(3):
        bench.fail()
        bench.wait(bench.breaker.status().opens_for_s)
    bench.succeed()
    bench.opened()
    assert bench.breaker.status().opens_for_s == pytest.approx(1.0)


# half-open


def test_half_open_lets_as_many_ask_at_once_as_there_are_permits() -> None:
    bench = Bench(half_open_permits=3).half_opened()
    held = [bench.breaker.permit() for _ in range(3)]
    refused = bench.refusal()
    assert refused is not None
    assert refused.reason is Reason.BREAKER_OPEN
    assert refused.retry_after_s == bench.setting.open_time
    held[1].neither()
    assert bench.refusal() is None


def test_a_permit_given_back_twice_makes_no_second_one() -> None:
    bench = Bench(half_open_permits=2).half_opened()
    first, _second = bench.breaker.permit(), bench.breaker.permit()
    first.neither()
    first.neither()
    first.success(QUICK_S)
    bench.breaker.permit()
    assert bench.refusal() is not None
    assert bench.breaker.state_now() == "half_open"


def test_the_first_success_closes_it_and_the_window_begins_anew() -> None:
    bench = Bench(minimum_calls=10).half_opened()
    held = [bench.breaker.permit() for _ in range(3)]
    held[0].success(QUICK_S)
    assert bench.breaker.state_now() == "closed"
    for late in held[1:]:
        late.failure(QUICK_S, DOWN)
    assert bench.breaker.status().calls == 0
    bench.fail(9)
    assert bench.breaker.state_now() == "closed"


def test_the_first_failure_opens_it_and_a_later_success_changes_nothing() -> None:
    bench = Bench().half_opened()
    held = [bench.breaker.permit() for _ in range(3)]
    held[0].failure(QUICK_S, DOWN)
    before = bench.breaker.status()
    for late in held[1:]:
        late.success(QUICK_S)
    assert before.state == "open"
    assert bench.breaker.status() == before
    assert before.because == "unreachable: a probe failed (no connection)"


def test_a_probe_of_an_earlier_time_decides_nothing_now() -> None:
    bench = Bench().half_opened()
    old = bench.breaker.permit()
    bench.fail()
    bench.wait(bench.breaker.status().opens_for_s)
    held = [bench.breaker.permit() for _ in range(bench.setting.half_open_permits)]
    old.success(QUICK_S)
    assert bench.breaker.state_now() == "half_open"
    assert bench.refusal() is not None, "nor does it make room for one more"
    held[0].success(QUICK_S)
    assert bench.breaker.state_now() == "closed"


def test_a_slow_probe_is_a_failure_only_from_the_limit_on() -> None:
    quick = Bench(slow_call="800ms").half_opened()
    quick.succeed(took_s=0.79)
    assert quick.breaker.state_now() == "closed"
    slow = Bench(slow_call="800ms").half_opened()
    slow.succeed(took_s=0.8)
    assert slow.breaker.state_now() == "open"
    assert slow.breaker.status().because == "slow: a probe took 0.8 s"


def test_an_outcome_from_before_it_opened_changes_nothing() -> None:
    bench = Bench()
    late = [bench.breaker.permit() for _ in range(2)]
    bench.opened()
    before = bench.breaker.status()
    late[0].success(QUICK_S)
    late[1].failure(QUICK_S, DOWN)
    assert bench.breaker.status() == before


# Retry-After


@pytest.mark.parametrize("reason", [Reason.RATE_LIMITED, Reason.VENDOR_ERROR])
def test_a_single_retry_after_opens_it_at_once_for_at_least_so_long(reason: Reason) -> None:
    bench = Bench(luck=0.0)
    bench.fail(failure=asking_for_rest(5.0, reason))
    bench.wait(4.999)
    assert bench.refusal() is not None
    bench.wait(0.001)
    assert bench.refusal() is None


def test_a_retry_after_is_kept_to_and_a_little_longer_by_chance() -> None:
    bench = Bench(luck=0.999)
    bench.fail(failure=asking_for_rest(5.0))
    assert 5.0 < bench.breaker.status().opens_for_s <= 5.0 + later_s(5.0)


def test_a_fleet_that_was_told_to_come_back_in_a_second_takes_another_to_do_so() -> None:
    come_back_s = []
    for number in range(100):
        bench = Bench(luck=number / 100)
        bench.fail(failure=asking_for_rest(1.0))
        come_back_s.append(bench.breaker.status().opens_for_s)
    in_the_first_tenth = sum(one < 1.1 for one in come_back_s)
    assert min(come_back_s) >= 1.0
    assert in_the_first_tenth <= 15


@given(st.floats(0.001, 300.0))
def test_who_is_asked_to_rest_for_long_is_not_kept_waiting_much_longer(asked_s: float) -> None:
    assert asked_s * LATER <= later_s(asked_s) <= max(LATER_S, asked_s * LATER)
    assert later_s(asked_s) <= asked_s


def test_a_retry_after_shorter_than_the_open_time_shortens_nothing() -> None:
    bench = Bench(open_time="2s")
    bench.fail(failure=asking_for_rest(0.1))
    assert bench.breaker.status().opens_for_s == pytest.approx(2.0)


@pytest.mark.parametrize("asked_s", [301.0, 1e9, float("inf")])
def test_the_longest_retry_after_has_a_limit(asked_s: float) -> None:
    bench = Bench(longest_retry_after="5m", luck=0.999)
    bench.fail(failure=asking_for_rest(asked_s))
    assert bench.breaker.status().opens_for_s == pytest.approx(300.0)


@pytest.mark.parametrize("asked_s", [0.0, -1.0, float("nan")])
def test_a_retry_after_of_nothing_is_a_failure_like_others(asked_s: float) -> None:
    bench = Bench(minimum_calls=2)
    bench.fail(failure=asking_for_rest(asked_s))
    assert bench.breaker.state_now() == "closed"
    assert bench.breaker.status().failure_rate == 1.0


def test_a_probe_may_be_told_to_wait_longer_than_the_breaker_would() -> None:
    bench = Bench(luck=0.0).half_opened()
    bench.fail(failure=asking_for_rest(60.0))
    assert bench.breaker.status().opens_for_s == pytest.approx(60.0)


def test_a_probe_that_is_told_to_wait_has_failed() -> None:
    bench = Bench(open_time="1s").half_opened()
    bench.fail(failure=asking_for_rest(1.0))
    assert bench.breaker.status().opens_for_s == pytest.approx(2.0)


def test_a_late_retry_after_is_honoured_whatever_became_of_the_breaker() -> None:
    bench = Bench(luck=0.0)
    first, second, third, fourth = (bench.breaker.permit() for _ in range(4))
    bench.opened()
    first.failure(QUICK_S, asking_for_rest(5.0))
    assert bench.breaker.status().opens_for_s == pytest.approx(5.0), "open: longer"
    second.failure(QUICK_S, asking_for_rest(3.0))
    assert bench.breaker.status().opens_for_s == pytest.approx(5.0), "open: never shorter"
    bench.wait(5.0)
    probe = bench.breaker.permit()
    third.failure(QUICK_S, asking_for_rest(5.0))
    assert bench.breaker.state_now() == "open", "half-open: open again"
    probe.success(QUICK_S)
    assert bench.breaker.state_now() == "open"
    bench.wait(5.0)
    bench.succeed()
    fourth.failure(QUICK_S, asking_for_rest(5.0))
    assert bench.breaker.state_now() == "open", "closed: open"


def test_a_late_retry_after_opens_again_one_whose_time_is_over() -> None:
    bench = Bench(luck=0.0)
    late = bench.breaker.permit()
    bench.opened()
    bench.wait(2.0)
    assert bench.breaker.state_now() == "half_open"
    late.failure(QUICK_S, asking_for_rest(5.0))
    assert bench.breaker.status().opens_for_s == pytest.approx(5.0)
    assert bench.breaker.status().opened_times == 2


@pytest.mark.parametrize(
    "failure",
    [NotAsked(Reason.RATE_LIMITED, retry_after_s=60.0), asking_for_rest(60.0, Reason.AUTH)],
)
def test_only_the_vendors_own_429_or_503_opens_it_by_itself(failure: LookupFailed) -> None:
    bench = Bench()
    bench.fail(failure=failure)
    assert bench.breaker.state_now() == "closed"


def test_who_may_not_ask_because_of_a_429_hears_of_the_limit() -> None:
    for opened in (Bench(), Bench()):
        opened.fail(failure=asking_for_rest(5.0))
        refused = opened.refusal()
        assert refused is not None
        assert refused.reason is Reason.RATE_LIMITED
    by_rate = Bench(minimum_calls=10, half_open_permits=1)
    by_rate.fail(10, failure=LIMITED)
    refused = by_rate.refusal()
    assert refused is not None
    assert refused.reason is Reason.RATE_LIMITED
    by_rate.wait(by_rate.breaker.status().opens_for_s)
    by_rate.breaker.permit()
    refused = by_rate.refusal()
    assert refused is not None
    assert refused.reason is Reason.RATE_LIMITED, "while the probe is under way, too"
