"""Work side by side, in which one failure costs its own share and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def one_by_one(jobs: Iterable[Callable[[], None]]) -> None:
    """Work that waits for nobody. The first exception is raised, once all others are done."""
    failed: Exception | None = None
    for job in jobs:
        try:
            job()
        except Exception as failure:  # noqa: BLE001  (raised again when the others are done)
            failed = failed or failure
    if failed is not None:
        raise failed


async def side_by_side(
    jobs: Iterable[Callable[[], Awaitable[T]]], *, at_once: int | None = None
) -> list[T]:
    """The results in order. The first exception is raised, once all others have ended.

    Cancellation reaches every job that has begun, and passes. The connection below bounds how many
    exchanges are in flight; `at_once` bounds how many jobs have begun, so that a question that is
    cut off at its deadline has little to unwind.
    """
    waiting = list(enumerate(jobs))
    if not waiting:
        return []
    if len(waiting) == 1:
        return [await waiting[0][1]()]
    results: dict[int, T] = {}
    failures: dict[int, Exception] = {}
    waiting.reverse()

    async def work() -> None:
        while waiting:
            number, job = waiting.pop()
            try:
                results[number] = await job()
            except Exception as failure:  # noqa: BLE001  (raised again when the others have ended)
                failures[number] = failure

    async with asyncio.TaskGroup() as tasks:
        for _ in range(min(len(waiting), at_once or len(waiting))):
            tasks.create_task(work())
    if failures:
        raise failures[min(failures)]
    return [results[number] for number in sorted(results)]
