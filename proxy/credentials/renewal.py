"""One attempt at a time for everybody who waits, and a rest after one that failed.

While it rests nobody is asked, and afterwards one attempt tries for all.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeAlias, TypeVar

from adapters.call import Call
from adapters.outcome import LookupFailed, NotAsked, Reason

T = TypeVar("T")

Spawn: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Starts a task and keeps it alive until it ends."""
Luck: TypeAlias = Callable[[], float]
"""Evenly spread from 0 to 1, so that a fleet does not do the same at the same moment."""

REST_S = 1.0
LONGEST_REST_S = 5.0
EARLY_S = 0.02
"""Who waits hears why before its budget ends, and not merely that it ended."""


def rest_s(failures: int, luck: float) -> float:
    """How long nobody is asked after that many failures in a row: 1 s, doubled up to 5 s, less up
    to a quarter.
    """
    longest = min(REST_S * 2.0 ** min(failures - 1, 8), LONGEST_REST_S)
    return longest * (1 - luck / 4)


class Renewal(Generic[T]):
    """Makes a new one of something when it is asked to, for all who ask meanwhile.

    An attempt outlives the caller who began it. Each caller waits until its own deadline.
    """

    def __init__(
        self, make: Callable[[], Awaitable[T]], *, spawn: Spawn, luck: Luck = random.random
    ) -> None:
        self._make = make
        self._spawn = spawn
        self._luck = luck
        self._flight: asyncio.Future[T | LookupFailed] | None = None
        self._task: asyncio.Task[None] | None = None
        self._failure: LookupFailed | None = None
        self._failures = 0
        self._rests_until = 0.0

    @property
    def failure(self) -> LookupFailed | None:
        """How the latest attempt failed, if it did."""
        return self._failure

    @property
    def rests_until(self) -> float:
        """No attempt begins before this moment (`loop.time()`)."""
        return self._rests_until

    def begin(self) -> "asyncio.Future[T | LookupFailed] | LookupFailed":
        """The attempt under way, or a new one; while it rests, why."""
        loop = asyncio.get_running_loop()
        if self._flight is not None:
            return self._flight
        if self._failure is not None and loop.time() < self._rests_until:
            return self._failure
        self._flight = loop.create_future()
        self._task = self._spawn(self._fly(self._flight))
        return self._flight

    async def wait(self, call: Call) -> T:
        """The new one. Raises `LookupFailed`: what the attempt met, or `auth` shortly before the
        end of the caller's budget.
        """
        flight = self.begin()
        if isinstance(flight, LookupFailed):
            raise _again(flight)
        early_s = min(EARLY_S, call.remaining_s(asyncio.get_running_loop().time()) / 10)
        with suppress(TimeoutError):
            async with call.budget.part(lambda deadline: deadline - early_s).timer():
                await asyncio.wait({flight})
        if not flight.done():
            raise LookupFailed(Reason.AUTH, "the issuer did not answer within the question's time")
        outcome = flight.result()
        if isinstance(outcome, LookupFailed):
            raise _again(outcome)
        return outcome

    async def stop(self) -> None:
        """Like `cut_short`, and waits until the attempt has let go of what it holds."""
        self.cut_short()
        if self._task is not None and not self._task.done():
            await asyncio.wait({self._task})

    def cut_short(self) -> None:
        """Ends an attempt under way; who waits for it hears that it was cut short."""
        task, flight = self._task, self._flight
        if task is not None and flight is not None:
            task.cancel()  # a task that had not begun yet runs none of its lines
            self._land(flight, LookupFailed(Reason.AUTH, "the attempt was cut short"))

    async def _fly(self, flight: "asyncio.Future[T | LookupFailed]") -> None:
        outcome: T | LookupFailed = LookupFailed(Reason.AUTH, "the attempt was cut short")
        try:
            outcome = await self._make()
        except LookupFailed as failure:
            outcome = failure
        finally:
            self._land(flight, outcome)

    def _land(self, flight: "asyncio.Future[T | LookupFailed]", outcome: T | LookupFailed) -> None:
        if flight.done():
            return
        flight.set_result(outcome)
        self._flight = None
        if isinstance(outcome, LookupFailed):
            self._failure = outcome
            self._rests_until = asyncio.get_running_loop().time() + self._rest_s(outcome)
        else:
            self._failure, self._failures = None, 0

    def _rest_s(self, failure: LookupFailed) -> float:
        """An attempt for which nobody was asked is no failure more."""
        if isinstance(failure, NotAsked):
            wait_s = failure.retry_after_s
            return REST_S if wait_s is None else min(wait_s, LONGEST_REST_S)
        self._failures += 1
        return rest_s(self._failures, self._luck())


def _again(failure: LookupFailed) -> LookupFailed:
    """The same words for another caller; one exception raised many times grows with each."""
    return LookupFailed(failure.reason, failure.detail, retry_after_s=failure.retry_after_s)
