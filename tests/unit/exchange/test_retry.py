import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import LookupFailed, NotAsked, Reason
from config import settings
from proxy.exchange.retry import Retry
from proxy.guard.backoff import USEFUL_S
from proxy.guard.retry_budget import RetryBudget
from tests.unit.exchange.scripted import Held, Outcome, Scripted, at, cancelled, outcome_of

AMPLE = 1000.0
SETTING = settings.Retry.model_validate(
    {"attempts": 3, "first_backoff": "25ms", "longest_backoff": "250ms"}
)


def unreachable() -> LookupFailed:
    return LookupFailed(Reason.UNREACHABLE, "first")


def broken() -> LookupFailed:
    return LookupFailed(Reason.VENDOR_ERROR, "second")


class Bench:
    """A retry around a script, on a clock that only its own waits move."""

    def __init__(
        self,
        *outcomes: Outcome,
        setting: settings.Retry = SETTING,
        share: float = 1.0,
        floor: float = 10.0,
        luck: float = 0.5,
        inner: Any = None,
    ) -> None:
        self.now = 100.0
        self.waits: list[float] = []
        self.retries = 0
        self.inner = inner or Scripted(outcomes)
        self.budget = RetryBudget(share, floor, lambda: self.now)
        self.retry: Retry[str, str] = Retry(
            self.inner,
            setting=setting,
            budget=self.budget,
            on_retry=self._count,
            luck=lambda: luck,
            clock=lambda: self.now,
            sleep=self._sleep,
        )

    def _count(self) -> None:
        self.retries += 1

    async def _sleep(self, wait_s: float) -> None:
        self.waits.append(wait_s)
        self.now += wait_s

    async def ask(self, budget_s: float = AMPLE) -> Outcome:
        return await outcome_of(self.retry.send("?", at(self.now + budget_s)))


async def test_what_fails_once_is_asked_again_with_the_same_request_and_call() -> None:
    bench = Bench(unreachable(), "reply")
    assert await bench.ask() == "reply"
    first, second = bench.inner.tries
    assert first == second
    assert bench.retries == 1


async def test_a_reply_is_not_asked_for_twice() -> None:
    bench = Bench("reply")
    assert await bench.ask() == "reply"
    assert (len(bench.inner.tries), bench.retries, bench.waits) == (1, 0, [])


async def test_waits_grow_by_chance_and_the_tries_end() -> None:
    bench = Bench(unreachable(), unreachable(), broken())
    assert await bench.ask() is bench.inner._outcomes[2]
    assert (len(bench.inner.tries), bench.waits) == (3, pytest.approx([0.0125, 0.025]))


@pytest.mark.parametrize(
    "failure",
    [
        *(
            LookupFailed(reason)
            for reason in Reason
            if reason not in {Reason.UNREACHABLE, Reason.VENDOR_ERROR}
        ),
        LookupFailed(Reason.VENDOR_ERROR, retry_after_s=0.0),
        LookupFailed(Reason.UNREACHABLE, retry_after_s=5.0),
        LookupFailed(Reason.VENDOR_ERROR, "HTTP 400", lasting=True),
        *(NotAsked(reason) for reason in Reason),
    ],
    ids=lambda failure: f"{type(failure).__name__} {failure.reason} {failure.retry_after_s}",
)
async def test_what_will_not_pass_in_a_moment_is_not_retried(failure: LookupFailed) -> None:
    bench = Bench(failure, "reply")
    assert await bench.ask() is failure
    assert bench.budget.take()


async def test_an_error_of_ours_is_not_retried() -> None:
    bench = Bench(ZeroDivisionError(), "reply")
    with pytest.raises(ZeroDivisionError):
        await bench.ask()
    assert len(bench.inner.tries) == 1


@pytest.mark.parametrize("reason", [Reason.BREAKER_OPEN, Reason.OVERLOAD, Reason.DEADLINE])
async def test_the_caller_hears_of_the_vendor_and_not_that_a_retry_was_refused(
    reason: Reason,
) -> None:
    bench = Bench(unreachable(), NotAsked(reason), "reply")
    assert await bench.ask() is bench.inner._outcomes[0]
    assert len(bench.inner.tries) == 2


async def test_the_caller_hears_the_latest_word_of_the_vendor() -> None:
    asked_to_wait = LookupFailed(Reason.RATE_LIMITED, retry_after_s=5.0)
    assert await Bench(unreachable(), asked_to_wait).ask() is asked_to_wait


async def test_one_attempt_retries_nothing() -> None:
    bench = Bench(unreachable(), "reply", setting=settings.Retry(attempts=1))
    assert await bench.ask() is bench.inner._outcomes[0]


async def test_nothing_is_retried_without_a_leave_of_the_budget() -> None:
    bench = Bench(unreachable(), "reply", share=0.0, floor=0.0)
    assert await bench.ask() is bench.inner._outcomes[0]
    assert bench.waits == []


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 10))
def test_a_try_begins_with_a_useful_rest_of_the_budget_or_not_at_all(
    budget_s: float, luck: float, failures: int
) -> None:
    bench = Bench(*[unreachable()] * failures, "reply", luck=luck)
    end = bench.now + budget_s
    begun_at = []
    tell = bench.inner.send

    async def send(request: str, call: Any) -> str:
        begun_at.append(bench.now)
        return await tell(request, call)  # type: ignore[no-any-return]

    bench.inner.send = send
    asyncio.run(_ask(bench, budget_s))
    assert all(end - moment >= USEFUL_S - 1e-9 for moment in begun_at[1:])
    refused_in_time = len(begun_at) < min(failures + 1, SETTING.attempts)
    assert not refused_in_time or end - bench.now < USEFUL_S + 0.05 * luck + 1e-9


async def _ask(bench: Bench, budget_s: float) -> None:
    await bench.ask(budget_s)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.01, 1.0]), st.lists(st.booleans(), min_size=5)),
        max_size=60,
    ),
    st.sampled_from([0.0, 0.2, 1.0]),
)
def test_a_vendor_sees_no_more_than_the_requests_their_share_and_the_floor(
    story: list[tuple[float, list[bool]]], share: float
) -> None:
    """Whatever fails, and whenever."""

    async def live() -> tuple[int, float]:
        bench = Bench("reply", share=share, floor=1.0)
        tries = 0
        for pause_s, fine in story:
            bench.now += pause_s
            bench.inner._outcomes = [("reply" if one else unreachable()) for one in fine]
            bench.inner.tries.clear()
            await bench.ask()
            tries += len(bench.inner.tries)
        return tries, bench.now - 100.0

    tries, seconds = asyncio.run(live())
    assert tries <= len(story) * (1 + share) + 1 + seconds + 1e-6


async def waiting(
    bench: Bench, count: int
) -> tuple[list[asyncio.Task[Outcome]], Callable[[], int]]:
    """Questions that fail together and wait before their retries."""
    held = 0

    async def sleep(_wait_s: float) -> None:
        nonlocal held
        held += 1
        try:
            await asyncio.Event().wait()
        finally:
            held -= 1

    bench.retry._sleep = sleep
    tasks = [asyncio.get_running_loop().create_task(bench.ask()) for _ in range(count)]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks, lambda: held


async def test_no_more_wait_for_a_retry_than_the_budget_allows() -> None:
    bench = Bench(unreachable(), share=0.2, floor=1.0)
    tasks, held = await waiting(bench, 50)
    assert held() == 11
    assert sum(task.done() for task in tasks) == 39
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert held() == 0


async def test_who_is_cancelled_while_waiting_asks_no_more() -> None:
    bench = Bench(unreachable(), "reply")
    (task,), _ = await waiting(bench, 1)
    assert await cancelled(task)
    assert len(bench.inner.tries) == 1


async def test_who_is_cancelled_during_a_try_asks_no_more() -> None:
    inner = Held()
    bench = Bench(inner=inner)
    task = asyncio.get_running_loop().create_task(bench.ask())
    await inner.have_begun(1)
    assert await cancelled(task)
    assert (len(inner.tries), inner.cancelled) == (1, 1)
