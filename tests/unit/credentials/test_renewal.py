import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.call import Call
from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.credentials.renewal import LONGEST_REST_S, REST_S, Renewal, rest_s
from proxy.lifecycle import Tasks
from tests.servers.leaping import leaping_clock
from tests.unit.credentials.conftest import NOW


def call(budget_s: float = 30.0) -> Call:
    return Call(deadline=asyncio.get_running_loop().time() + budget_s, asked_at=NOW)


class Maker:
    """Makes 1, 2, 3 … when it is let, or fails."""

    def __init__(self) -> None:
        self.attempts = 0
        self.begun = asyncio.Event()
        self.let = asyncio.Event()
        self.fails: Exception | None = None

    async def __call__(self) -> int:
        self.attempts += 1
        self.begun.set()
        await self.let.wait()
        if self.fails:
            raise self.fails
        return self.attempts


async def test_all_who_ask_meanwhile_share_one_attempt(tasks: Tasks) -> None:
    maker = Maker()
    renewal = Renewal(maker, spawn=tasks.spawn)
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(renewal.wait(call())) for _ in range(20)]
        await maker.begun.wait()
        maker.let.set()
    assert [one.result() for one in waiting] == [1] * 20
    assert await renewal.wait(call()) == 2


async def test_an_attempt_outlives_the_caller_who_began_it(tasks: Tasks) -> None:
    maker = Maker()
    renewal = Renewal(maker, spawn=tasks.spawn)
    first = asyncio.get_running_loop().create_task(renewal.wait(call()))
    await maker.begun.wait()
    second = asyncio.get_running_loop().create_task(renewal.wait(call()))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    maker.let.set()
    assert await second == 1


async def test_each_waits_until_its_own_deadline(tasks: Tasks) -> None:
    maker = Maker()
    renewal = Renewal(maker, spawn=tasks.spawn)
    patient = asyncio.get_running_loop().create_task(renewal.wait(call()))
    with pytest.raises(LookupFailed) as failed:
        await renewal.wait(call(0.01))
    assert failed.value.reason is Reason.AUTH
    maker.let.set()
    assert await patient == 1


async def test_who_waits_goes_on_waiting_when_its_budget_grows(tasks: Tasks) -> None:
    maker = Maker()
    renewal = Renewal(maker, spawn=tasks.spawn)
    growing = call(30)
    waiting = asyncio.get_running_loop().create_task(renewal.wait(growing))
    await maker.begun.wait()
    with leaping_clock() as clock:
        growing.budget.extend(growing.deadline + 60)
        clock.leap(60)
        await asyncio.sleep(0)
        maker.let.set()
        assert await waiting == 1


async def test_an_attempt_for_which_nobody_was_asked_is_no_failure_more(tasks: Tasks) -> None:
    maker = Maker()
    maker.fails = NotAsked(Reason.AUTH, "the breaker is open", retry_after_s=0.25)
    maker.let.set()
    renewal = Renewal(maker, spawn=tasks.spawn, luck=lambda: 0.0)
    now = asyncio.get_running_loop().time
    for _ in range(3):
        renewal._rests_until = 0
        with pytest.raises(LookupFailed):
            await renewal.wait(call())
        assert 0 < renewal.rests_until - now() <= 0.25, "it is tried as soon as it may be"
    maker.fails = LookupFailed(Reason.AUTH)
    renewal._rests_until = 0
    with pytest.raises(LookupFailed):
        await renewal.wait(call())
    assert 0.9 * REST_S < renewal.rests_until - now() <= REST_S, "the first failure"


async def test_after_a_failure_it_rests_and_repeats_what_it_met(tasks: Tasks) -> None:
    maker = Maker()
    maker.fails = LookupFailed(Reason.TLS, "the file", retry_after_s=2)
    maker.let.set()
    renewal = Renewal(maker, spawn=tasks.spawn)
    for _ in range(3):
        with pytest.raises(LookupFailed) as failed:
            await renewal.wait(call())
        assert (failed.value.reason, failed.value.detail) == (Reason.TLS, "the file")
        assert failed.value.retry_after_s == 2
        assert failed.value is not maker.fails, "an exception raised many times grows"
    assert maker.attempts == 1
    assert renewal.failure is maker.fails


async def test_after_its_rest_it_tries_again(tasks: Tasks) -> None:
    maker = Maker()
    maker.fails = LookupFailed(Reason.TLS)
    maker.let.set()
    renewal = Renewal(maker, spawn=tasks.spawn)
    with pytest.raises(LookupFailed):
        await renewal.wait(call())
    maker.fails = None
    now = asyncio.get_running_loop().time()
    assert now < renewal.rests_until <= now + REST_S
    renewal._rests_until = now
    assert await renewal.wait(call()) == 2
    assert renewal.failure is None


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_rest_grows_with_the_failures_up_to_a_bound(failures: int, luck: float) -> None:
    assert 0.75 * REST_S <= rest_s(failures, luck) <= LONGEST_REST_S
    assert rest_s(failures, luck) <= rest_s(failures + 1, luck)


async def test_an_attempt_that_had_not_begun_is_cut_short_too(tasks: Tasks) -> None:
    maker = Maker()
    renewal = Renewal(maker, spawn=tasks.spawn)
    flight = renewal.begin()
    renewal.cut_short()
    assert isinstance(flight, asyncio.Future)
    assert isinstance(flight.result(), LookupFailed)
    await renewal.stop()
    assert maker.attempts == 0


async def test_an_attempt_that_is_stopped_is_told_to_who_waits(tasks: Tasks) -> None:
    maker = Maker()
    renewal = Renewal(maker, spawn=tasks.spawn)
    waiting = asyncio.get_running_loop().create_task(renewal.wait(call()))
    await maker.begun.wait()
    await renewal.stop()
    with pytest.raises(LookupFailed, match="cut short"):
        await waiting
    await renewal.stop()


async def test_an_unforeseen_exception_is_not_swallowed() -> None:
    lost: list[BaseException] = []
    maker = Maker()
    maker.fails = ValueError("x")
    maker.let.set()
    renewal = Renewal(maker, spawn=Tasks(lost.append).spawn)
    with pytest.raises(LookupFailed, match="cut short"):
        await renewal.wait(call())
    await asyncio.sleep(0)
    assert lost == [maker.fails]
