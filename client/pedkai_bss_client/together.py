"""Doing several things side by side until a deadline, and not a moment longer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

LEAVING_S = 0.01
"""Before the deadline, for whoever is late to close what they opened."""

_leaving: set["asyncio.Task[None]"] = set()
"""Cancelled, and not yet gone: an event loop keeps only weak references to its tasks."""


async def side_by_side(
    jobs: Iterator[Callable[[], Awaitable[T]]], *, at_once: int, deadline: float
) -> list[T]:
    """What the jobs that ended before `deadline` gave, in the order in which they ended.

    `deadline` is on the event loop's clock. Whoever is late is cancelled, and not waited for
    beyond it: a job that takes its time over leaving keeps nobody. Nor does it keep a caller who
    is cancelled.
    """
    results: list[T] = []

    async def work() -> None:
        for job in jobs:  # shared: each worker takes the next one
            result = await job()
            results.append(result)

    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(work()) for _ in range(at_once)]
    try:
        await asyncio.wait(tasks, timeout=max(deadline - LEAVING_S - loop.time(), 0))
    finally:
        late = [task for task in tasks if not task.done()]
        for task in late:
            _let_go(task)
    if late:
        await asyncio.wait(late, timeout=max(deadline - loop.time(), 0))
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()
    return results.copy()


async def gone(*, within_s: float) -> None:
    """Waits until those who were let go in this event loop have left, `within_s` at most."""
    loop = asyncio.get_running_loop()
    leaving = [task for task in _leaving if task.get_loop() is loop]
    if leaving:
        await asyncio.wait(leaving, timeout=within_s)


def _let_go(task: "asyncio.Task[None]") -> None:
    _leaving.add(task)
    task.add_done_callback(_gone)
    task.cancel()


def _gone(task: "asyncio.Task[None]") -> None:
    _leaving.discard(task)
    if not task.cancelled():
        task.exception()  # taken note of, or the loop complains of it
