"""Asking once more, where that does no harm."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from adapters.call import Call
from adapters.outcome import LookupFailed, NotAsked, Reason
from config import settings
from proxy.guard.backoff import backoff_s, is_worth_it
from proxy.guard.clock import Clock, loop_time
from proxy.guard.retry_budget import RetryBudget
from proxy.guard.sender import Sender

Request = TypeVar("Request")
Reply = TypeVar("Reply")


def may_pass(failure: LookupFailed) -> bool:
    """Whether the same request may well succeed in a moment.

    Who names a time is not asked before it. What was not asked needs no second try: there is no
    slot or no credentials for that one either.
    """
    if isinstance(failure, NotAsked) or failure.lasting or failure.retry_after_s is not None:
        return False
    return failure.reason in {Reason.UNREACHABLE, Reason.VENDOR_ERROR}


def _nothing() -> None:
    """Nobody counts."""


class Retry(Generic[Request, Reply]):
    """Each try passes everything below again. The requests must do no harm when done twice.

    A try begins only with a leave of the budget, which it takes before it waits: so there are never
    more waiting than the budget allows.
    """

    def __init__(
        self,
        inner: Sender[Request, Reply],
        *,
        setting: settings.Retry,
        budget: RetryBudget,
        retryable: Callable[[LookupFailed], bool] = may_pass,
        on_retry: Callable[[], object] = _nothing,
        luck: Callable[[], float] = random.random,
        clock: Clock = loop_time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.inner = inner
        self._setting = setting
        self._budget = budget
        self._retryable = retryable
        self._on_retry = on_retry
        self._luck = luck
        self._clock = clock
        self._sleep = sleep

    async def send(self, request: Request, call: Call) -> Reply:
        """The first reply. Without one, the latest failure of who was really asked."""
        self._budget.asked()
        retry, told = 0, None
        while True:
            try:
                return await self.inner.send(request, call)
            except LookupFailed as failure:
                latest = failure
            if told is None or not isinstance(latest, NotAsked):
                told = latest
            retry += 1
            if not await self._may_go_again(latest, retry, call):
                break
            self._on_retry()
        raise told

    async def _may_go_again(self, failure: LookupFailed, retry: int, call: Call) -> bool:
        """Whether there is to be such a retry; it may begin at once."""
        if retry >= self._setting.attempts or not self._retryable(failure):
            return False
        wait_s = backoff_s(retry, self._luck(), self._setting)
        if not is_worth_it(wait_s, call.remaining_s(self._clock())) or not self._budget.take():
            return False
        await self._sleep(wait_s)  # a budget's end only ever moves away, so it is not yet there
        return True
