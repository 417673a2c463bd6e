"""A second try beside a first one that takes unusually long; the first answer wins."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from adapters.call import Call
from adapters.outcome import LookupFailed
from config import settings
from proxy.guard.backoff import is_worth_it
from proxy.guard.clock import Clock, loop_time
from proxy.guard.latencies import Latencies
from proxy.guard.retry_budget import RetryBudget
from proxy.guard.sender import Sender

Request = TypeVar("Request")
Reply = TypeVar("Reply")
Try: TypeAlias = "asyncio.Task[Reply | LookupFailed]"

UNUSUAL = 0.95
"""A try is slow when that share of them took less."""


def _nothing() -> None:
    """Nobody counts."""


class Hedge(Generic[Request, Reply]):
    """Only for questions about one customer; nobody waits for the last of a batch's hundred.

    A second try takes neither a slot that others wait for nor a retry's leave: it has a budget of
    its own, and goes only while there is room.
    """

    def __init__(
        self,
        inner: Sender[Request, Reply],
        *,
        setting: settings.Hedging,
        latencies: Latencies,
        budget: RetryBudget,
        has_room: Callable[[], bool],
        on_hedge: Callable[[], object] = _nothing,
        clock: Clock = loop_time,
    ) -> None:
        """`budget`: `RetryBudget(setting.budget_share, 0)`."""
        self.inner = inner
        self._setting = setting
        self._latencies = latencies
        self._budget = budget
        self._has_room = has_room
        self._on_hedge = on_hedge
        self._clock = clock

    async def send(self, request: Request, call: Call) -> Reply:
        if call.is_batch or not self._setting.enabled:
            return await self.inner.send(request, call)
        self._budget.asked()
        begun_at = self._clock()
        patience_s = self._latencies.quantile(UNUSUAL)
        if patience_s is None:
            reply = await self.inner.send(request, call)
        else:
            reply = await self._first_of_two(request, call, patience_s)
        # Of a pair, the winner's time since the first began: less than the first would have taken,
        # but no less than what is unusual, so that hedging does not make ordinary times look slow.
        self._latencies.observe(self._clock() - begun_at)
        return reply

    async def _first_of_two(self, request: Request, call: Call, patience_s: float) -> Reply:
        async def attempt() -> Reply | LookupFailed:
            try:
                return await self.inner.send(request, call)
            except LookupFailed as failure:
                return failure

        async with asyncio.TaskGroup() as group:  # leaves nobody behind, however it ends
            tries = [group.create_task(attempt())]
            await asyncio.wait(tries, timeout=patience_s)
            if not tries[0].done() and self._may_hedge(call):
                self._on_hedge()
                tries.append(group.create_task(attempt()))
            outcome = await _best(tries)
            for one in tries:
                one.cancel()
        if isinstance(outcome, LookupFailed):
            raise outcome
        return outcome

    def _may_hedge(self, call: Call) -> bool:
        has_time = is_worth_it(0, call.remaining_s(self._clock()))
        return has_time and self._has_room() and self._budget.take()


async def _best(tries: "list[Try[Reply]]") -> Reply | LookupFailed:
    """The first reply; without one, how the first try failed."""
    waiting = set(tries)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for one in tries:
            if one in done and not isinstance(outcome := one.result(), LookupFailed):
                return outcome
    return tries[0].result()
