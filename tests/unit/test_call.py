"""What travels with a question: a budget that can grow, and the timers that follow it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.call import Budget, Call
from tests.servers.leaping import LeapingClock, leaping_clock

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LONG_S = 1000.0
"""Nothing here waits for it: time leaps."""


@pytest.fixture
async def clock() -> AsyncIterator[LeapingClock]:
    with leaping_clock() as made:
        yield made


class Waiting:
    """A task that waits under a timer for what never comes."""

    def __init__(self, budget: Budget, latest: float | None = None) -> None:
        self._timer = budget.timer() if latest is None else budget.timer(latest)
        self.task = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> str:
        try:
            async with self._timer:
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return "ended"
        raise AssertionError


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def waiting(budget: Budget, latest: float | None = None) -> Waiting:
    made = Waiting(budget, latest)
    await settled()
    return made


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_timer_ends_what_is_done_under_it_when_the_budget_ends(
    clock: LeapingClock,
) -> None:
    one = await waiting(Budget(now() + LONG_S))
    clock.leap(LONG_S - 1)
    await settled()
    assert not one.task.done()
    clock.leap(2)
    assert await one.task == "ended"


async def test_a_budget_that_grows_moves_every_timer_that_runs(clock: LeapingClock) -> None:
    budget = Budget(now() + LONG_S)
    both = [await waiting(budget), await waiting(budget)]
    budget.extend(now() + 2 * LONG_S)
    clock.leap(LONG_S + 1)
    await settled()
    assert not any(one.task.done() for one in both)
    clock.leap(LONG_S)
    assert [await one.task for one in both] == ["ended", "ended"]


async def test_an_earlier_end_changes_nothing(clock: LeapingClock) -> None:
    end = now() + LONG_S
    budget = Budget(end)
    one = await waiting(budget)
    budget.extend(end - LONG_S / 2)
    assert budget.deadline == end
    clock.leap(LONG_S - 1)
    await settled()
    assert not one.task.done()
    one.task.cancel()


async def test_a_timer_of_its_own_end_does_not_outlast_it_however_the_budget_grows(
    clock: LeapingClock,
) -> None:
    budget = Budget(now() + LONG_S)
    one = await waiting(budget, latest=now() + LONG_S / 2)
    budget.extend(now() + 9 * LONG_S)
    clock.leap(LONG_S / 2 + 1)
    assert await one.task == "ended"


async def test_a_timer_of_its_own_end_ends_with_the_budget_if_that_is_earlier(
    clock: LeapingClock,
) -> None:
    one = await waiting(Budget(now() + LONG_S), latest=now() + 2 * LONG_S)
    clock.leap(LONG_S + 1)
    assert await one.task == "ended"


async def test_a_timer_that_has_gone_off_stays_so(clock: LeapingClock) -> None:
    budget = Budget(now() + LONG_S)
    one = await waiting(budget)
    clock.leap(LONG_S + 1)
    for _ in range(2):
        await asyncio.sleep(0)
    assert not one.task.done(), "it has gone off, but who waits under it has not heard so yet"
    budget.extend(now() + LONG_S)
    assert await one.task == "ended"


async def test_a_timer_begun_after_the_budget_grew_has_the_later_end(clock: LeapingClock) -> None:
    budget = Budget(now() + LONG_S)
    clock.leap(LONG_S + 1)
    budget.extend(now() + LONG_S)
    one = await waiting(budget)
    assert not one.task.done()
    clock.leap(LONG_S + 1)
    assert await one.task == "ended"


async def test_what_is_begun_after_the_end_ends_at_once() -> None:
    assert await (await waiting(Budget(now() - 1))).task == "ended"


async def test_what_is_done_in_time_is_not_touched_and_its_timer_is_forgotten() -> None:
    budget = Budget(now() + LONG_S)
    async with budget.timer():
        await asyncio.sleep(0)
    assert not budget._timers
    budget.extend(now() + 2 * LONG_S)


async def test_an_exception_passes_and_the_timer_is_forgotten() -> None:
    budget = Budget(now() + LONG_S)
    with pytest.raises(KeyError):
        async with budget.timer():
            raise KeyError
    assert not budget._timers


async def test_cancellation_passes_and_the_timer_is_forgotten() -> None:
    budget = Budget(now() + LONG_S)
    one = await waiting(budget)
    one.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one.task
    assert not budget._timers


async def test_cancellation_is_not_taken_for_the_end_where_both_come_together(
    clock: LeapingClock,
) -> None:
    one = await waiting(Budget(now() + LONG_S))
    one.task.cancel()
    clock.leap(LONG_S + 1)
    await asyncio.wait({one.task})
    assert one.task.cancelled()


async def test_of_timers_within_each_other_the_one_that_ends_speaks(clock: LeapingClock) -> None:
    budget = Budget(now() + 2 * LONG_S)
    ended = []

    async def nested() -> None:
        async with budget.timer():
            try:
                async with budget.timer(now() + LONG_S):
                    await asyncio.get_running_loop().create_future()
            except TimeoutError:
                ended.append("inner")
            ended.append("and on")

    task = asyncio.get_running_loop().create_task(nested())
    await settled()
    clock.leap(LONG_S + 1)
    await task
    assert ended == ["inner", "and on"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_a_budget_ends_at_the_latest_end_that_anybody_asked_for(ends: list[float]) -> None:
    budget = Budget(ends[0])
    seen = [budget.deadline]
    for end in ends[1:]:
        budget.extend(end)
        seen.append(budget.deadline)
    assert budget.deadline == max(ends)
    assert all(before <= after for before, after in pairwise(seen))


@given(st.floats(-1e6, 1e6), st.lists(st.floats(-1e6, 1e6)), st.floats(-10, 10))
def test_a_part_of_a_budget_grows_with_the_whole(
    first: float, later: list[float], apart: float
) -> None:
    whole = Budget(first)
    part = whole.part(lambda end: end + apart)
    for end in later:
        whole.extend(end)
    assert part.deadline == whole.deadline + apart


async def test_the_timers_of_a_part_move_too(clock: LeapingClock) -> None:
    whole = Budget(now() + LONG_S)
    one = await waiting(whole.part(lambda end: end - 1))
    whole.extend(now() + 2 * LONG_S)
    clock.leap(LONG_S + 1)
    await settled()
    assert not one.task.done()
    clock.leap(LONG_S)
    assert await one.task == "ended"


def test_a_call_with_another_budget_is_the_same_question_for_as_long_as_that_lasts() -> None:
    call = Call(
        deadline=5.0,
        asked_at=NOW,
        correlation_id="one",
        traceparent="00-trace",
        tracestate="a=b",
        tenant="acme",
        is_batch=True,
    )
    other = call.until(Budget(9.0))
    names = ("asked_at", "correlation_id", "traceparent", "tracestate", "tenant", "is_batch")
    assert [getattr(other, name) for name in names] == [getattr(call, name) for name in names]
    other.budget.extend(10.0)
    assert (call.deadline, other.deadline) == (5.0, 10.0)


def test_calls_that_share_a_budget_grow_together() -> None:
    budget = Budget(5.0)
    one, other = Call(deadline=budget, asked_at=NOW), Call(deadline=budget, asked_at=NOW)
    budget.extend(6.0)
    assert (one.deadline, other.deadline) == (6.0, 6.0)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_what_is_left_of_a_budget_is_never_negative(end: float, moment: float) -> None:
    left = Call(deadline=end, asked_at=NOW).remaining_s(moment)
    assert left == max(0.0, end - moment)


async def test_who_is_cancelled_in_the_moment_of_the_end_is_cancelled() -> None:
    budget = Budget(now() + LONG_S)
    one = await waiting(budget)
    (timer,) = budget._timers
    timer.move(now() - 1)
    asyncio.get_running_loop().call_soon(
        one.task.cancel
    )  # after the timer, before the task goes on
    await asyncio.wait({one.task})
    assert one.task.cancelled()
