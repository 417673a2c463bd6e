from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.guard.latencies import ENOUGH, REMEMBERED, Latencies

TIMES = st.lists(st.floats(0, 10), max_size=2 * REMEMBERED)


def after(times: list[float]) -> Latencies:
    latencies = Latencies()
    for one in times:
        latencies.observe(one)
    return latencies


@given(TIMES, st.floats(0, 1))
def test_that_share_of_the_latest_answers_and_no_fewer_came_within_a_quantile(
    times: list[float], share: float
) -> None:
    latest = times[-REMEMBERED:]
    within = after(times).quantile(share)
    if len(latest) < ENOUGH:
        assert within is None
        return
    assert within in latest
    assert sum(one <= within for one in latest) >= share * len(latest)
    assert sum(one < within for one in latest) < max(ceil(share * len(latest)), 1)


def test_too_few_answers_say_nothing() -> None:
    latencies = after([0.1] * (ENOUGH - 1))
    assert latencies.quantile(0.95) is None
    latencies.observe(0.1)
    assert latencies.quantile(0.95) == 0.1


def test_a_quantile_follows_each_answer() -> None:
    latencies = after([0.1] * ENOUGH)
    assert latencies.quantile(1.0) == 0.1
    latencies.observe(0.3)
    assert latencies.quantile(1.0) == 0.3


@pytest.mark.parametrize("old", [1, 1000])
def test_what_was_long_ago_is_forgotten(old: int) -> None:
    latencies = after([9.0] * old + [0.1] * REMEMBERED)
    assert latencies.quantile(1.0) == 0.1
