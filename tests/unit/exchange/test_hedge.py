import asyncio
from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.call import Call
from adapters.outcome import LookupFailed, NotAsked, Reason
from config import settings
from proxy.exchange.hedge import Hedge
from proxy.guard.latencies import ENOUGH, Latencies
from proxy.guard.retry_budget import RetryBudget
from tests.servers.leaping import leaping_clock
from tests.unit.exchange.scripted import (
    Held,
    Outcome,
    at,
    cancelled,
    others,
    outcome_of,
    settled,
    soon,
)

FIRST, SECOND = LookupFailed(Reason.UNREACHABLE), LookupFailed(Reason.VENDOR_ERROR)
AMPLE_S = 1000.0
UNUSUAL_S = 10.0


def known(took_s: float, count: int = ENOUGH) -> Latencies:
    latencies = Latencies()
    for _ in range(count):
        latencies.observe(took_s)
    return latencies


class Bench:
    """A hedge around tries that end when the test says."""

    def __init__(
        self,
        *,
        latencies: Latencies | None = None,
        share: float = 1.0,
        has_room: Callable[[], bool] = lambda: True,
        enabled: bool = True,
    ) -> None:
        self.inner = Held()
        self.latencies = latencies or known(0.0)
        self.budget = RetryBudget(share, 0.0)
        self.hedge: Hedge[str, str] = Hedge(
            self.inner,
            setting=settings.Hedging(enabled=enabled),
            latencies=self.latencies,
            budget=self.budget,
            has_room=has_room,
        )

    def ask(self, *, budget_s: float = AMPLE_S, is_batch: bool = False) -> "asyncio.Task[Outcome]":
        loop = asyncio.get_running_loop()
        call = at(loop.time() + budget_s, is_batch=is_batch)
        return loop.create_task(outcome_of(self.hedge.send("?", call)))

    async def tries_begun(self) -> int:
        """Once nothing moves by itself any more."""
        await self.inner.have_begun(1)
        await asyncio.sleep(0.001)  # a timer of no time at all needs a turn with a later clock
        await settled()
        return len(self.inner.tries)


async def test_a_slow_single_is_asked_a_second_time_and_the_first_answer_wins() -> None:
    bench = Bench()
    asking = bench.ask()
    await bench.inner.have_begun(2)
    bench.inner.end(1, "second")
    assert await asking == "second"
    assert (bench.inner.cancelled, bench.inner.under_way) == (1, 0)
    assert len(bench.inner.tries) == 2


async def test_the_first_try_may_still_win() -> None:
    bench = Bench()
    asking = bench.ask()
    await bench.inner.have_begun(2)
    bench.inner.end(0, "first")
    assert await asking == "first"
    assert (bench.inner.cancelled, bench.inner.under_way) == (1, 0)


async def test_the_second_try_waits_for_what_is_unusual() -> None:
    with leaping_clock() as clock:
        bench = Bench(latencies=known(UNUSUAL_S))
        asking = bench.ask()
        await bench.tries_begun()
        clock.leap(UNUSUAL_S - 1)
        assert await bench.tries_begun() == 1
        clock.leap(1)
        assert await bench.tries_begun() == 2
        assert await cancelled(asking)


async def test_an_answer_in_the_usual_time_needs_no_second_try() -> None:
    with leaping_clock() as clock:
        bench = Bench(latencies=known(UNUSUAL_S))
        asking = bench.ask()
        await bench.tries_begun()
        clock.leap(UNUSUAL_S - 1)
        await bench.tries_begun()
        bench.inner.end(0, "reply")
        assert await asking == "reply"
        clock.leap(UNUSUAL_S)
        assert await bench.tries_begun() == 1


@pytest.mark.parametrize(
    "bench",
    [
        lambda: (Bench(), {"is_batch": True}),
        lambda: (Bench(enabled=False), {}),
        lambda: (Bench(share=0.0), {}),
        lambda: (Bench(has_room=lambda: False), {}),
        lambda: (Bench(latencies=known(0.0, ENOUGH - 1)), {}),
        lambda: (Bench(), {"budget_s": 0.01}),
    ],
    ids=["a batch", "off", "no budget", "no room", "too few known", "no time left"],
)
async def test_there_are_reasons_against_a_second_try(
    bench: Callable[[], tuple[Bench, dict[str, Any]]],
) -> None:
    one, how = bench()
    asking = one.ask(**how)
    assert await one.tries_begun() == 1
    one.inner.end(0, "reply")
    assert await asking == "reply"


async def test_a_second_try_that_does_not_go_costs_no_budget() -> None:
    bench = Bench(has_room=lambda: False)
    asking = bench.ask()
    await bench.tries_begun()
    assert bench.budget.take()
    assert await cancelled(asking)


async def test_second_tries_are_a_share_of_the_requests() -> None:
    bench = Bench(share=0.25)
    asking = [bench.ask() for _ in range(20)]
    await bench.inner.have_begun(20)
    assert await bench.tries_begun() == 25
    for task in asking:
        assert await cancelled(task)
    assert bench.inner.under_way == 0


Step = Literal["first ends", "second ends", "cancel"]
OUTCOMES = st.sampled_from(["reply", "failure", "refused"])


def made(kind: str, name: str) -> Outcome:
    if kind == "reply":
        return name
    reason = Reason.UNREACHABLE
    return NotAsked(reason, name) if kind == "refused" else LookupFailed(reason, name)


@given(OUTCOMES, OUTCOMES, st.permutations(["first ends", "second ends", "cancel"]))
def test_whatever_happens_the_best_is_told_and_nobody_is_left_behind(
    first: str, second: str, steps: list[Step]
) -> None:
    """The oracle: the reply that came first, else the first try's failure, unless cancelled."""
    made_of = {"first ends": made(first, "first"), "second ends": made(second, "second")}

    async def live() -> None:
        bench = Bench()
        asking = bench.ask()
        await bench.inner.have_begun(2)
        told: Outcome | None = None
        ended = set()
        for step in steps:
            if step == "cancel":
                asking.cancel()
                await settled()
                break
            bench.inner.end(0 if step == "first ends" else 1, made_of[step])
            ended.add(step)
            await settled()
            if isinstance(made_of[step], str):
                told = made_of[step]
                break
            if len(ended) == 2:
                told = made_of["first ends"]
                break
        assert asking.done()
        assert asking.cancelled() if told is None else asking.result() is told
        assert bench.inner.under_way == 0
        assert others() == set()

    asyncio.run(live())


class SlowToDie:
    """The first try hangs, and takes two cancellations to end; the second answers at once."""

    def __init__(self) -> None:
        self.begun = 0
        self.left: list[int] = []

    async def send(self, request: str, call: Call) -> str:
        number = self.begun
        self.begun += 1
        try:
            if number == 0:
                await asyncio.Event().wait()
            return "second"
        finally:
            if number == 0:
                await asyncio.Event().wait()
            self.left.append(number)


async def test_a_loser_is_waited_for_even_by_a_caller_who_loses_patience() -> None:
    bench = Bench()
    bench.hedge.inner = loser = SlowToDie()
    asking = bench.ask()
    await soon(lambda: loser.left == [1])
    await settled()
    assert not asking.done()
    assert await cancelled(asking)
    assert (loser.begun, others()) == (2, set())


async def test_only_replies_are_remembered_and_a_pair_counts_from_its_first_try() -> None:
    with leaping_clock() as clock:
        bench = Bench(latencies=known(UNUSUAL_S))
        asking = bench.ask()
        await bench.tries_begun()
        clock.leap(UNUSUAL_S)
        await bench.inner.have_begun(2)
        clock.leap(3)
        bench.inner.end(1, "second")
        assert await asking == "second"
        assert bench.latencies.quantile(1.0) == pytest.approx(UNUSUAL_S + 3, abs=0.5)
        failing = bench.ask()
        await bench.inner.have_begun(3)
        clock.leap(1000)
        bench.inner.end(2, FIRST)
        await settled()
        bench.inner.end(3, SECOND)
        assert await failing is FIRST
        assert bench.latencies.quantile(1.0) == pytest.approx(UNUSUAL_S + 3, abs=0.5)
