"""Turns: never more than there are, none lost, first come first served."""

import asyncio

import pytest

from proxy.exchange.turns import Turns


class Line:
    """Who wants a turn."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.served: list[int] = []
        self.waited: list[float] = []

    async def want(self, number: int) -> None:
        if not self.turns.take():
            await self.turns.wait(self.waited.append)
        self.served.append(number)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_have_a_turn_than_there_are_and_who_came_first_is_next() -> None:
    turns = Turns(2)
    line = Line(turns)
    async with asyncio.TaskGroup() as tasks:
        for number in range(5):
            tasks.create_task(line.want(number))
        for served in (2, 3, 4, 5):
            await settled()
            assert line.served == list(range(served))
            turns.give_back()
    assert len(line.waited) == 3


async def test_a_turn_that_comes_back_is_never_free_while_somebody_waits() -> None:
    turns = Turns(1)
    line = Line(turns)
    assert turns.take()
    waiting = asyncio.get_running_loop().create_task(line.want(1))
    await settled()
    turns.give_back()
    assert not turns.take()
    await waiting


@pytest.mark.parametrize("comes_first", [True, False])
async def test_who_is_cancelled_leaves_the_turn_to_others(*, comes_first: bool) -> None:
    turns = Turns(1)
    line = Line(turns)
    assert turns.take()
    waiting = asyncio.get_running_loop().create_task(line.want(1))
    await settled()
    if comes_first:
        turns.give_back()
        waiting.cancel()
    else:
        waiting.cancel()
        turns.give_back()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    assert len(line.waited) == 1
    assert turns.take()
    assert not turns.take()
