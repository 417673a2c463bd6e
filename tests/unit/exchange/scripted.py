"""Whom layers ask in their tests: each try ends as the test says, when the test says."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

from adapters.call import Call
from adapters.outcome import LookupFailed
from tests.unit.exchange.servers import NOW

Outcome = str | LookupFailed | Exception


def at(deadline: float, *, is_batch: bool = False) -> Call:
    """A call whose budget ends at that moment."""
    return Call(deadline=deadline, asked_at=NOW, is_batch=is_batch)


class Scripted:
    """Ends each try at once, as it is listed; the last of the list for ever."""

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        self._outcomes = list(outcomes)
        self.tries: list[tuple[str, Call]] = []

    async def send(self, request: str, call: Call) -> str:
        outcome = self._outcomes[min(len(self.tries), len(self._outcomes) - 1)]
        self.tries.append((request, call))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Held:
    """Keeps each try until the test ends it."""

    def __init__(self) -> None:
        self.tries: list[asyncio.Future[str]] = []
        self.under_way = 0
        self.cancelled = 0

    async def send(self, request: str, call: Call) -> str:
        own = asyncio.get_running_loop().create_future()
        self.tries.append(own)
        self.under_way += 1
        try:
            return await own
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1

    def end(self, number: int, outcome: Outcome) -> None:
        """How the try of that number ends. One that is not, or no longer, there ends nothing."""
        if number >= len(self.tries) or self.tries[number].done():
            return
        if isinstance(outcome, Exception):
            self.tries[number].set_exception(outcome)
        else:
            self.tries[number].set_result(outcome)

    async def have_begun(self, count: int) -> None:
        await soon(lambda: len(self.tries) >= count)


async def soon(holds: Callable[[], bool], turns: int = 1000) -> None:
    """Lets the loop turn until it holds."""
    for _ in range(turns):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come to that")


async def settled(turns: int = 10) -> None:
    """Lets everything happen that needs no time."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def outcome_of(sending: Awaitable[str]) -> Outcome:
    """The reply or the failure."""
    try:
        return await sending
    except LookupFailed as failure:
        return failure


def others() -> set[asyncio.Task[object]]:
    """Tasks besides the test's own."""
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]  # there is one


async def cancelled(task: asyncio.Task[object]) -> bool:
    """Cancels, and waits for the end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return task.cancelled()
