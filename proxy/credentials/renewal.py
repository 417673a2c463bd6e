"""One attempt at a time for everybody who waits, and a rest after one that failed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeAlias, TypeVar

from adapters.outcome import Call, LookupFailed, Reason

T = TypeVar("T")

Spawn: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Starts a task and keeps it alive until it ends."""

REST_S = 1.0
"""At most one attempt a second against a dead issuer or a missing file."""


class Renewal(Generic[T]):
    """Makes a new one of something when it is asked to, for all who ask meanwhile.

    An attempt outlives the caller who began it. Each caller waits until its own deadline.
    """

    def __init__(self, make: Callable[[Call], Awaitable[T]], *, spawn: Spawn) -> None:
        self._make = make
        self._spawn = spawn
        self._flight: asyncio.Future[T | LookupFailed] | None = None
        self._task: asyncio.Task[None] | None = None
        self._failure: LookupFailed | None = None
        self._rests_until = 0.0

    @property
    def failure(self) -> LookupFailed | None:
        """How the latest attempt failed, if it did."""
        return self._failure

    def begin(self, call: Call) -> "asyncio.Future[T | LookupFailed] | LookupFailed":
        """The attempt under way, or a new one; while it rests, why."""
        loop = asyncio.get_running_loop()
        if self._flight is not None:
            return self._flight
        if self._failure is not None and loop.time() < self._rests_until:
            return self._failure
        self._flight = loop.create_future()
        self._task = self._spawn(self._fly(self._flight, call))
        return self._flight

    async def wait(self, call: Call) -> T:
        """The new one. Raises `LookupFailed`: what the attempt met, or the caller's `deadline`."""
        flight = self.begin(call)
        if isinstance(flight, LookupFailed):
            raise _again(flight)
        now = asyncio.get_running_loop().time()
        await asyncio.wait({flight}, timeout=call.remaining_s(now))
        if not flight.done():
            raise LookupFailed(Reason.DEADLINE, "the budget ended before credentials were there")
        outcome = flight.result()
        if isinstance(outcome, LookupFailed):
            raise _again(outcome)
        return outcome

    def rest(self, until: float, because: LookupFailed) -> None:
        """No attempt before `until` (`loop.time()`)."""
        self._failure = because
        self._rests_until = until

    async def stop(self) -> None:
        """Ends an attempt under way; who waits for it hears that it was cut short."""
        task = self._task
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait({task})

    async def _fly(self, flight: "asyncio.Future[T | LookupFailed]", call: Call) -> None:
        outcome: T | LookupFailed = LookupFailed(Reason.AUTH, "the attempt was cut short")
        try:
            outcome = await self._make(call)
            self._failure = None
        except LookupFailed as failure:
            outcome = failure
        finally:
            self._flight = None
            if isinstance(outcome, LookupFailed):
                self.rest(asyncio.get_running_loop().time() + REST_S, outcome)
            flight.set_result(outcome)


def _again(failure: LookupFailed) -> LookupFailed:
    """The same words for another caller; one exception raised many times grows with each."""
    return LookupFailed(failure.reason, failure.detail, retry_after_s=failure.retry_after_s)
