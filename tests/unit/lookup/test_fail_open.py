import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from math import floor
from typing import Any
from uuid import UUID, uuid4

import pytest

from adapters.call import Call
from adapters.lookup import LookupAdapter
from adapters.outcome import (
    Billing,
    Dispute,
    Found,
    Learn,
    Lookup,
    LookupFailed,
    Missing,
    Reason,
    Unavailable,
)
from proxy.lifecycle import Tasks
from proxy.lookup import fail_open
from proxy.lookup.coalesce import Coalesce
from proxy.lookup.fail_open import FailOpen

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CANARY = "canary-4711"
A, B, C = uuid4(), uuid4(), uuid4()
Answer = Callable[[Sequence[UUID], Call, Learn[Billing]], Awaitable[None]]


def unexpected(error: Exception) -> None:
    raise AssertionError("nothing above the layer fails") from error


ask = partial(fail_open.ask, on_error=unexpected)


class Adapter(LookupAdapter):
    source = "double"
    is_estimate = True
    reporting_currency = "EUR"

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        await self._answer(customer_ids, call, learn)

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        learn(customer_ids[0], Found(Dispute(active=True)))


class Bench:
    """A fail-open layer over an answer, and what it reported.

    It is the same whether the adapter is on its leash, or below a layer that needs none.
    """

    def __init__(self, *, is_shared: bool) -> None:
        self.reported: list[str] = []
        self.lost: list[BaseException] = []
        self.tasks = Tasks(self.lost.append)
        self.spawned = 0
        self._is_shared = is_shared

    def over(self, answer: Answer) -> FailOpen:
        return FailOpen(
            self._shared(Adapter(answer)), spawn=self._spawn, report=self.reported.append
        )

    def _shared(self, adapter: LookupAdapter) -> LookupAdapter:
        if not self._is_shared:
            return adapter
        return Coalesce(adapter, spawn=self._spawn, report=self.reported.append, most_customers=100)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        self.spawned += 1
        return self.tasks.spawn(work)


@pytest.fixture(params=[False, True], ids=["on a leash", "shared"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    one = Bench(is_shared=request.param)
    yield one
    await one.tasks.cancel()
    assert one.lost == []


def call(budget_s: float = 60.0) -> Call:
    return Call(deadline=asyncio.get_running_loop().time() + budget_s, asked_at=NOW)


async def test_what_the_adapter_learns_is_what_is_learned(bench: Bench) -> None:
    async def answer(ids: Sequence[UUID], _call: Call, learn: Learn[Billing]) -> None:
        learn(B, Missing())
        learn(A, Found(Billing(plan_name="Plan")))

    layer = bench.over(answer)
    assert await ask(layer.look_up_billing, [A, B, A], call()) == {
        A: Found(Billing(plan_name="Plan")),
        B: Missing(),
    }


async def test_a_question_takes_one_task_however_many_layers_it_passes(bench: Bench) -> None:
    async def answer(ids: Sequence[UUID], _call: Call, learn: Learn[Billing]) -> None:
        learn(A, Missing())

    await ask(bench.over(answer).look_up_billing, [A], call())
    assert bench.spawned == 1


async def test_disputes_pass_the_same_way(bench: Bench) -> None:
    async def answer(*_args: object) -> None: ...

    lookups = await ask(bench.over(answer).look_up_disputes, [A, B], call())
    assert lookups == {A: Found(Dispute(active=True)), B: Unavailable(Reason.BAD_RESPONSE)}


async def test_a_customer_that_is_left_out_is_unavailable(bench: Bench) -> None:
    async def answer(*_args: object) -> None: ...

    lookups = await ask(bench.over(answer).look_up_billing, [A], call())
    assert lookups == {A: Unavailable(Reason.BAD_RESPONSE)}


async def test_a_failure_costs_only_those_who_are_not_yet_learned(bench: Bench) -> None:
    async def answer(ids: Sequence[UUID], _call: Call, learn: Learn[Billing]) -> None:
        learn(A, Missing())
        raise LookupFailed(Reason.RATE_LIMITED, retry_after_s=9)

    lookups = await ask(bench.over(answer).look_up_billing, [A, B], call())
    assert lookups == {A: Missing(), B: Unavailable(Reason.RATE_LIMITED, 9)}
    assert bench.reported == []


async def test_a_failure_inside_a_task_group_keeps_its_reason(bench: Bench) -> None:
    async def fail() -> None:
        raise LookupFailed(Reason.TLS)

    async def answer(*_args: object) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())
            tasks.create_task(fail())

    assert await ask(bench.over(answer).look_up_billing, [A], call()) == {
        A: Unavailable(Reason.TLS)
    }


async def test_an_exception_is_reported_by_the_name_of_its_type_alone(bench: Bench) -> None:
    async def answer(*_args: object) -> None:
        raise ExceptionGroup(CANARY, [ValueError(CANARY), LookupFailed(Reason.TLS, CANARY)])

    lookups = await ask(bench.over(answer).look_up_billing, [A], call())
    assert lookups == {A: Unavailable(Reason.VENDOR_ERROR)}
    assert bench.reported == ["LookupFailed+ValueError"]


async def test_at_the_deadline_what_is_known_is_handed_up_and_the_work_ends_after_it(
    bench: Bench,
) -> None:
    given_back = asyncio.Event()

    async def answer(ids: Sequence[UUID], _call: Call, learn: Learn[Billing]) -> None:
        learn(B, Missing())
        try:
            await asyncio.Event().wait()
        finally:
            given_back.set()

    lookups = await ask(bench.over(answer).look_up_billing, [A, B], call(0.01))
    assert lookups == {A: Unavailable(Reason.DEADLINE), B: Missing()}
    assert not given_back.is_set(), "the answer goes first"
    await asyncio.wait_for(given_back.wait(), 1)


async def test_the_answer_does_not_wait_for_what_meets_the_same_deadline(bench: Bench) -> None:
    ends: list[str] = []
    all_over = asyncio.Event()

    async def answer(ids: Sequence[UUID], asked: Call, learn: Learn[Billing]) -> None:
        async with asyncio.timeout_at(asked.deadline):
            try:
                await asyncio.Event().wait()
            finally:
                ends.append("work")
                all_over.set()

    await ask(bench.over(answer).look_up_billing, [A], call(0.05))
    ends.append("answer")
    await asyncio.wait_for(all_over.wait(), 1)
    assert ends == ["answer", "work"]


class Ticking(asyncio.SelectorEventLoop):
    """Has a clock of whole milliseconds, as uvloop has: its timers ring on time, or just before."""

    def time(self) -> float:
        return floor(super().time() * 1000) / 1000


def test_where_timers_ring_early_nobody_is_cancelled_at_the_end_of_a_question() -> None:
    """A breaker counts what ended by its deadline, and nothing that was cancelled."""
    ends: list[str] = []

    async def answer(ids: Sequence[UUID], asked: Call, learn: Learn[Billing]) -> None:
        try:
            async with asked.budget.timer():
                await asyncio.Event().wait()
        except TimeoutError:
            ends.append("by its deadline")
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    async def questions() -> None:
        tasks: list[asyncio.Task[None]] = []

        def spawn(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
            tasks.append(asyncio.get_running_loop().create_task(work))
            return tasks[-1]

        layer = FailOpen(Adapter(answer), spawn=spawn, report=ends.append)
        budgets = [0.15 + thousandth / 1000 for thousandth in range(100)]
        await asyncio.gather(*(ask(layer.look_up_billing, [A], call(one)) for one in budgets))
        await asyncio.wait(tasks)

    with asyncio.Runner(loop_factory=Ticking) as runner:
        runner.run(questions())
    assert ends == ["by its deadline"] * 100


async def test_a_timer_above_with_the_same_deadline_loses_nothing(bench: Bench) -> None:
    async def answer(ids: Sequence[UUID], _call: Call, learn: Learn[Billing]) -> None:
        learn(ids[0], Missing())
        await asyncio.Event().wait()

    learned: dict[UUID, Lookup[Billing]] = {}
    asked = call(0.01)
    with suppress(TimeoutError):  # whichever of the two is first
        async with asyncio.timeout_at(asked.deadline):
            await bench.over(answer).look_up_billing([A, B], asked, learned.setdefault)
    assert learned[A] == Missing()


async def test_an_adapter_that_ignores_its_cancellation_is_left_behind(bench: Bench) -> None:
    release, ended = asyncio.Event(), asyncio.Event()

    async def answer(ids: Sequence[UUID], _call: Call, learn: Learn[Billing]) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        learn(A, Missing())
        ended.set()

    learned: list[Lookup[Billing]] = []
    asked = call(0.01)
    await bench.over(answer).look_up_billing([A], asked, lambda _, one: learned.append(one))
    assert asyncio.get_running_loop().time() < asked.deadline + 1
    assert learned == [Unavailable(Reason.DEADLINE)]
    release.set()
    await ended.wait()
    assert learned == [Unavailable(Reason.DEADLINE)], "what comes after the answer is nobody's"


async def test_an_adapter_that_cancels_itself_does_not_cancel_the_question(bench: Bench) -> None:
    async def answer(*_args: object) -> None:
        raise asyncio.CancelledError

    assert await ask(bench.over(answer).look_up_billing, [A], call()) == {
        A: Unavailable(Reason.VENDOR_ERROR)
    }


async def test_a_cancelled_question_cancels_the_adapter_and_passes(bench: Bench) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def answer(*_args: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    question = bench.tasks.spawn(bench.over(answer).look_up_billing([A], call(), lambda *_: None))
    await begun.wait()
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    assert cancelled.is_set()


async def test_an_empty_question_asks_nobody(bench: Bench) -> None:
    async def answer(*_args: object) -> None:
        raise AssertionError

    layer = bench.over(answer)
    assert await ask(layer.look_up_billing, [], call()) == {}
    await layer.look_up_billing([], call(), lambda *_: None)


async def test_it_speaks_for_the_adapter_below(bench: Bench) -> None:
    async def answer(ids: Sequence[UUID], _call: Call, learn: Learn[Billing]) -> None:
        for customer_id in ids:
            learn(customer_id, Missing())

    layer = bench.over(answer)
    assert (layer.source, layer.is_estimate, layer.reporting_currency) == ("double", True, "EUR")
    assert await layer.get_billing_account(C) is None


async def test_what_breaks_above_the_layer_costs_those_who_are_still_open_and_is_told() -> None:
    told: list[Exception] = []

    async def breaks(_asked: Sequence[UUID], _call: Call, learn: Learn[Billing]) -> None:
        learn(A, Missing())
        raise ValueError("a mistake of the cache's")

    call = Call(deadline=asyncio.get_running_loop().time() + 1, asked_at=NOW)
    lookups = await fail_open.ask(breaks, [A, B, A], call, on_error=told.append)

    assert lookups == {A: Missing(), B: Unavailable(Reason.VENDOR_ERROR)}
    assert [type(error) for error in told] == [ValueError]
