"""Work side by side: the first failure ends the others, and a cancellation passes in any case."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.exchange.together import together

Work: TypeAlias = Coroutine[Any, Any, None]


class Failed(Exception):  # noqa: N818  (says what happened, as `Stale` does)
    pass


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def fails_after(number: int) -> None:
    await turns(number)
    raise Failed


async def ends_after(number: int, *, slow_to_end: int, ended: list[str] | None = None) -> None:
    """Takes a few turns more when it is cancelled."""
    try:
        await turns(number)
    except asyncio.CancelledError:
        await turns(slow_to_end)
        if ended is not None:
            ended.append("cancelled")
        raise
    if ended is not None:
        ended.append("by itself")


async def tries_again(once: Callable[[], Work]) -> None:
    """As a loop does that lives on failures; this one does not outlive its test."""
    for _ in range(100):
        with suppress(Failed):
            await once()
        await asyncio.sleep(0)


@given(
    fails=st.integers(0, 6), ends=st.integers(0, 12), slow=st.integers(0, 6), at=st.integers(1, 15)
)
async def test_a_loop_that_lives_on_failures_ends_when_it_is_cancelled_at_whatever_moment(
    fails: int, ends: int, slow: int, at: int
) -> None:
    begun: list[Work] = []

    async def once() -> None:
        works = [fails_after(fails), ends_after(ends, slow_to_end=slow)]
        begun[:] = works
        await together(works)

    task = asyncio.get_running_loop().create_task(tries_again(once))
    await turns(at)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert all(one.cr_frame is None for one in begun)  # type: ignore[attr-defined]  # (coroutines)


async def test_who_fails_first_is_raised_when_the_others_have_ended() -> None:
    ended: list[str] = []
    with pytest.raises(Failed):
        await together(
            [ends_after(10**9, slow_to_end=3, ended=ended), fails_after(1), fails_after(10**9)]
        )
    assert ended == ["cancelled"]


async def test_who_does_not_fail_is_waited_for() -> None:
    ended: list[str] = []
    await together([ends_after(number, slow_to_end=0, ended=ended) for number in range(3)])
    assert ended == ["by itself"] * 3
    await together([])


async def test_a_cancellation_is_passed_on_and_waits_until_all_have_ended() -> None:
    ended: list[str] = []
    works = [ends_after(10**9, slow_to_end=5, ended=ended) for _ in range(2)]
    task = asyncio.get_running_loop().create_task(together(works))
    await turns(2)
    for _ in range(3):  # also one that is repeated
        task.cancel()
        await turns(1)
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()
    assert ended == ["cancelled"] * 2


async def test_time_that_is_over_is_told_as_such() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await together([ends_after(10**9, slow_to_end=3)])


async def test_what_fails_beside_a_cancellation_is_no_noise() -> None:
    told: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, about: told.append(str(about["message"])))

    async def fails_at_its_end() -> None:
        try:
            await turns(10**9)
        except asyncio.CancelledError:
            raise Failed from None

    tasks = {loop.create_task(together(fails_at_its_end() for _ in range(3)))}
    await turns(2)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    del task
    tasks.clear()
    gc.collect()
    await turns(1)
    assert told == []
