"""Work side by side, in which one failure costs its own share and nothing else."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def side_by_side(jobs: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order. The first exception is raised, once all others have ended.

    Cancellation reaches every job at once, and passes. How many exchanges are in flight is bounded
    by the connection below, not here.
    """
    jobs = list(jobs)
    if len(jobs) == 1:
        return [await jobs[0]]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(_settled(job)) for job in jobs]
    results: list[T] = []
    for task in running:
        result, failure = task.result()
        if failure is not None:
            raise failure
        results += result
    return results


async def _settled(job: Coroutine[Any, Any, T]) -> tuple[list[T], Exception | None]:
    try:
        return [await job], None
    except Exception as failure:  # noqa: BLE001  (raised again when the others have ended)
        return [], failure
