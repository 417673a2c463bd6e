"""Files are looked at when one of them may have changed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from proxy.lifecycle import Tasks
from proxy.watching import Hints

PATIENCE_S = 20


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    errors: list[BaseException] = []
    tasks = Tasks(errors.append)
    yield tasks
    await tasks.cancel()
    assert errors == []


async def until(hints: Hints, seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not seen():
            await hints.next()


async def test_a_change_is_hinted_at_and_so_is_one_of_a_file_that_is_named_later(
    tmp_path: Path, tasks: Tasks
) -> None:
    hints = Hints(tasks.spawn)
    first, later = tmp_path / "first", tmp_path / "folder" / "later"
    hints.watch(frozenset({first}))
    first.write_text("1")
    await until(hints, first.exists)
    hints.watch(frozenset({first, later}))
    later.parent.mkdir()
    later.write_text("1")
    await until(hints, later.exists)
    hints.stop()


async def test_a_hint_given_before_anybody_waits_is_not_lost(tasks: Tasks) -> None:
    hints = Hints(tasks.spawn)
    hints.give()
    begin = asyncio.get_running_loop().time()
    await hints.next()
    assert asyncio.get_running_loop().time() - begin < 0.5


async def test_without_a_hint_it_is_looked_all_the_same(tasks: Tasks) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await Hints(tasks.spawn).next()
