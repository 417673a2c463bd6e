"""Work side by side, which ends together, and out of which a cancellation always passes."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Returns when all have ended. Raises the first failure, once the others are cancelled.

    asyncio's `TaskGroup` forgets a cancellation (in Python 3.11 and 3.12) that comes between such a
    failure and the end of the others. Whoever tries again after failures, as those do who keep
    connections warm, could then not be ended any more.
    """
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(work) for work in works]
    if not tasks:
        return
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await _end(tasks)
    failures = [one.exception() for one in tasks if not one.cancelled()]
    for failure in filter(None, failures):
        raise failure


async def _end(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancels who has not ended, and waits for them, also when it is cancelled meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    left = {one for one in tasks if not one.done()}
    for one in left:
        one.cancel()
    while left:
        try:
            _, left = await asyncio.wait(left)
        except asyncio.CancelledError as meanwhile:
            cancelled = meanwhile
    for one in tasks:
        if not one.cancelled():
            one.exception()  # it is told of here, or a cancellation is told instead
    if cancelled is not None:
        raise cancelled
