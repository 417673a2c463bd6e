"""Doing several things side by side until a deadline, and not a moment longer."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

_leaving: set["asyncio.Task[None]"] = set()
"""Cancelled, and not yet gone: an event loop keeps only weak references to its tasks."""


async def side_by_side(
    jobs: Iterator[Callable[[], Awaitable[T]]], *, at_once: int, deadline: float
) -> list[T]:
    """What the jobs that ended before `deadline` gave, in the order in which they ended.

    `deadline` is on the event loop's clock. Whoever is late is cancelled and not waited for: a
    job that takes its time over leaving keeps nobody. The same holds when the caller is cancelled.
    """
    results: list[T] = []

    async def work() -> None:
        for job in jobs:  # shared: each worker takes the next one
            result = await job()
            results.append(result)

    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(work()) for _ in range(at_once)]
    try:
        done, _ = await asyncio.wait(tasks, timeout=max(deadline - loop.time(), 0))
    finally:
        for task in tasks:
            if not task.done():
                _let_go(task)
    for task in done:
        if not task.cancelled():
            task.result()
    return results.copy()


def _let_go(task: "asyncio.Task[None]") -> None:
    _leaving.add(task)
    task.add_done_callback(_gone)
    task.cancel()


def _gone(task: "asyncio.Task[None]") -> None:
    _leaving.discard(task)
    if not task.cancelled():
        task.exception()  # taken note of, or the loop complains of it
