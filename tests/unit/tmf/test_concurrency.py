import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from adapters.tmf.concurrency import one_by_one, side_by_side


class Crowd:
    """Jobs that wait until they are let go, and how many of them had begun at the most."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.begun = self.running = self.most = 0

    async def job(self, number: int) -> int:
        self.begun += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.let_go.wait()
        finally:
            self.running -= 1
        return number

    def jobs(self, count: int) -> list[Callable[[], Awaitable[int]]]:
        return [partial(self.job, number) for number in range(count)]


async def a_few_turns_of_the_loop() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_results_come_in_the_order_of_the_jobs() -> None:
    async def after(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    assert await side_by_side(partial(after, turns) for turns in (3, 1, 2)) == [3, 1, 2]


@pytest.mark.parametrize(("at_once", "most"), [(None, 9), (3, 3), (20, 9)])
async def test_no_more_jobs_have_begun_than_are_wanted_at_once(
    at_once: int | None, most: int
) -> None:
    crowd = Crowd()
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(side_by_side(crowd.jobs(9), at_once=at_once))
        await a_few_turns_of_the_loop()
        assert crowd.begun == most
        crowd.let_go.set()
    assert asked.result() == list(range(9))
    assert crowd.most == most


async def test_one_failure_is_raised_when_all_others_have_ended() -> None:
    ended: list[str] = []

    async def fail(name: str) -> str:
        ended.append(name)
        raise LookupError(name)

    async def succeed() -> str:
        await asyncio.sleep(0)
        ended.append("well")
        return "well"

    with pytest.raises(LookupError, match="first"):
        await side_by_side([partial(fail, "first"), partial(fail, "second"), succeed])
    assert ended == ["first", "second", "well"]


async def test_cancellation_reaches_what_has_begun_begins_nothing_more_and_passes() -> None:
    crowd = Crowd()
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(side_by_side(crowd.jobs(9), at_once=3))
        await a_few_turns_of_the_loop()
        asked.cancel()
    assert asked.cancelled()
    assert (crowd.begun, crowd.running) == (3, 0)


def test_what_one_job_raises_costs_no_other_and_the_first_is_raised() -> None:
    done: list[int] = []

    def job(number: int) -> None:
        if number in (2, 3):
            raise KeyError(number)
        done.append(number)

    with pytest.raises(KeyError, match="2"):
        one_by_one(partial(job, number) for number in range(5))
    assert done == [0, 1, 4]
