from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.guard.retry_budget import MOST_SAVED, RetryBudget

Act = Literal["ask", "retry", "charge"]
Event = tuple[float, Act]
SHARES = st.sampled_from([0.0, 0.05, 0.2, 1 / 3, 1.0])
FLOORS = st.sampled_from([0.0, 0.5, 1.0, 7.0, 1000.0])
WAITS = st.sampled_from([0.0, 0.001, 0.3, 1.0, 60.0])
ACTS = st.sampled_from(["ask", "ask", "retry", "retry", "charge"])
STORIES = st.lists(st.tuples(WAITS, ACTS), max_size=80)
ROUNDING = 1e-6


@dataclass
class Teller:
    """Lives through a story, and counts."""

    share: float
    floor: float
    now: float = 1000.0
    asked: int = 0
    retried: int = 0
    charged: int = 0

    def __post_init__(self) -> None:
        self.began_at = self.now
        self.budget = RetryBudget(self.share, self.floor, self.clock)

    def clock(self) -> float:
        return self.now

    def bound(self, *, since: float, asked: int) -> float:
        return self.share * asked + self.floor * (self.now - since) + ROUNDING

    def live(self, event: Event) -> bool:
        """Whether a retry was let go."""
        wait_s, act = event
        self.now += wait_s
        if act == "ask":
            self.asked += 1
            self.budget.asked()
        elif act == "charge":
            self.charged += 1
            self.budget.charge()
        elif self.budget.take():
            self.retried += 1
            return True
        return False

    def moments(self, story: list[Event]) -> Iterator[tuple[float, int, int]]:
        """Time, requests and retries at the beginning and after each event."""
        yield self.now, self.asked, self.retried
        for event in story:
            self.live(event)
            yield self.now, self.asked, self.retried


@given(SHARES, FLOORS, STORIES)
def test_over_any_span_retries_stay_within_the_share_and_the_floor_and_what_was_saved(
    share: float, floor: float, story: list[Event]
) -> None:
    teller = Teller(share, floor)
    moments = list(teller.moments(story))
    for first, (began, asked_before, retried_before) in enumerate(moments):
        for ended, asked, retried in moments[first:]:
            bound = share * (asked - asked_before) + floor * (ended - began) + MOST_SAVED
            assert retried - retried_before <= bound + ROUNDING


@given(SHARES, FLOORS, STORIES)
def test_no_retry_goes_while_all_repeats_since_the_beginning_exceed_share_and_floor(
    share: float, floor: float, story: list[Event]
) -> None:
    teller = Teller(share, floor)
    for event in story:
        if teller.live(event):
            bound = teller.bound(since=teller.began_at, asked=teller.asked) + floor
            assert teller.retried + teller.charged <= bound


@given(SHARES, st.sampled_from([0.5, 1.0, 7.0]), STORIES)
def test_whatever_came_before_the_floor_brings_a_retry_back(
    share: float, floor: float, story: list[Event]
) -> None:
    teller = Teller(share, floor)
    for event in [(0.0, "ask"), *story]:
        teller.live(event)
    assert teller.live(((teller.charged + 1) / floor + ROUNDING, "retry"))


@given(STORIES)
def test_without_a_share_and_a_floor_nothing_is_ever_retried(story: list[Event]) -> None:
    teller = Teller(0.0, 0.0)
    assert not any(map(teller.live, story))


def granted(take: Callable[[], bool], tries: int = 1000) -> int:
    return sum(take() for _ in range(tries))


def test_five_requests_pay_for_one_retry_at_a_fifth() -> None:
    budget = RetryBudget(0.2, 0.0, lambda: 0.0)
    for _ in range(4):
        budget.asked()
    assert not budget.take()
    budget.asked()
    assert [budget.take(), budget.take()] == [True, False]


def test_the_floor_pays_for_its_first_second_at_once_and_for_each_that_follows() -> None:
    now = 0.0
    budget = RetryBudget(0.0, 2.0, lambda: now)
    assert granted(budget.take) == 2
    now = 3.0
    assert granted(budget.take) == 6


@pytest.mark.parametrize("requests", [1_000, 100_000])
def test_quiet_times_save_up_only_so_much(requests: int) -> None:
    now = 0.0
    budget = RetryBudget(0.2, 1.0, lambda: now)
    for _ in range(requests):
        budget.asked()
    now = 1e6
    assert granted(budget.take) == MOST_SAVED


def test_a_repeat_that_nobody_could_stop_is_owed() -> None:
    now = 0.0
    budget = RetryBudget(0.0, 1.0, lambda: now)
    for _ in range(4):
        budget.charge()
    now = 3.9
    assert not budget.take()
    now = 4.0
    assert budget.take()


def test_a_repeat_that_nobody_could_stop_is_paid_from_what_was_saved() -> None:
    now = 0.0
    budget = RetryBudget(0.0, 1.0, lambda: now)
    budget.asked()
    now = 1e6
    budget.charge()
    assert granted(budget.take) == MOST_SAVED - 1
