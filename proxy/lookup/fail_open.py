"""The layer on whose word a pod may rely: whatever breaks below, each customer gets a lookup in
time. Above it is only what never waits for long, and `ask`, which lets no exception out.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from adapters.call import Budget, Call
from adapters.lookup import TIMER_SLACK_S, LookUp, LookupAdapter, rest_of
from adapters.outcome import Billing, Dispute, Learn, Lookup, LookupFailed, Reason, Unavailable
from proxy.lookup.failures import Report, type_names

T = TypeVar("T")

Spawn: TypeAlias = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Starts a task and keeps it alive until it ends."""

HEAD_START_S = 0.01
"""The answer leaves this much before the deadline, or a tenth of the budget if that is less.

The work below meets the same deadline, and ending some hundred exchanges keeps the event loop
longer than writing an answer.
"""
_NOBODY_SAID = Unavailable(Reason.VENDOR_ERROR)
GRACE_S = 0.02
"""How long work may take to end by itself before it is cancelled, and then before it is left."""


class Punctual(LookupAdapter):
    """A layer that needs no leash, for all that may hang below it is in tasks of its own.

    Cancelled, it lets go: at once where `is_due`, and else within `GRACE_S`.
    """


class FailOpen(LookupAdapter):
    """Asks, and learns one lookup for each customer, at the latest at the call's deadline.

    What the adapter learns is handed up at once, so a timer above with the same deadline loses
    nothing. Work that is still under way when the answer leaves ends by the same deadline, or is
    cancelled; an adapter that ignores that costs its task, not the answer. Only the cancellation
    of the question itself passes.
    """

    def __init__(self, inner: LookupAdapter, *, spawn: Spawn, report: Report) -> None:
        self.inner = inner
        self.source = inner.source
        self.is_estimate = inner.is_estimate
        self.reporting_currency = inner.reporting_currency
        self.clock = inner.clock
        self._spawn = spawn
        self._report = report

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        await self._ask(self.inner.look_up_billing, customer_ids, call, learn)

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        await self._ask(self.inner.look_up_disputes, customer_ids, call, learn)

    async def _ask(
        self, look_up: LookUp[T], customer_ids: Sequence[UUID], call: Call, learn: Learn[T]
    ) -> None:
        if not customer_ids:
            return
        now = asyncio.get_running_loop().time()
        head_start_s = min(HEAD_START_S, call.remaining_s(now) / 10)
        early = Budget(call.deadline - head_start_s)
        ask = look_up if isinstance(self.inner, Punctual) else partial(self._on_a_leash, look_up)
        still_open, answering = dict.fromkeys(customer_ids), True

        def hear(customer_id: UUID, lookup: Lookup[T]) -> None:
            if answering:  # what an adapter left behind learns later is nobody's any more
                still_open.pop(customer_id, None)
                learn(customer_id, lookup)

        try:
            rest = await rest_of(
                ask, customer_ids, call, hear, within=early, on_error=self._report_type
            )
        finally:
            answering = False
        for customer_id in still_open:
            learn(customer_id, rest)

    async def _on_a_leash(
        self, look_up: LookUp[T], asked: Sequence[UUID], call: Call, learn: Learn[T]
    ) -> None:
        failed: list[Exception] = []

        async def work() -> None:
            try:
                await look_up(asked, call, learn)
            except Exception as error:  # noqa: BLE001  (raised again below, where somebody waits)
                failed.append(error)

        task = self._spawn(work())
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            loop = asyncio.get_running_loop()
            if is_due(call, loop.time()):
                loop.call_at(call.deadline + GRACE_S, task.cancel)
            else:
                task.cancel()
                await asyncio.wait({task}, timeout=GRACE_S)
            raise
        if task.cancelled():
            raise LookupFailed(Reason.VENDOR_ERROR, "the adapter cancelled itself")
        for error in failed:
            raise error

    def _report_type(self, error: Exception) -> None:
        self._report(type_names(error))


def is_due(call: Call, now: float) -> bool:
    """Whether an answer is due, so that who is cancelled goes on until the deadline, unheard.

    Before that nobody waits for one any more.
    """
    return now >= call.deadline - HEAD_START_S - TIMER_SLACK_S


async def ask_one(
    look_up: LookUp[T], customer_id: UUID, call: Call, *, on_error: Callable[[Exception], None]
) -> Lookup[T]:
    """As `ask` does, of one customer."""
    learned: list[Lookup[T]] = []
    try:
        await look_up((customer_id,), call, lambda _, lookup: learned.append(lookup))
    except Exception as error:  # noqa: BLE001  (told; the pod gets a typed answer)
        on_error(error)
    return learned[0] if learned else _NOBODY_SAID


async def ask(
    look_up: LookUp[T],
    asked: Sequence[UUID],
    call: Call,
    *,
    on_error: Callable[[Exception], None],
) -> dict[UUID, Lookup[T]]:
    """One lookup for each of the distinct ids, in the order asked, from a stack with `FailOpen` in
    it.

    It has no timer: `FailOpen` has one, and the budget is carried down. Only cancellation passes;
    what a layer above `FailOpen` raises is told to `on_error`, and costs those who are still open.
    """
    learned: dict[UUID, Lookup[T]] = {}
    if asked:
        try:
            await look_up(asked, call, learned.setdefault)
        except Exception as error:  # noqa: BLE001  (told; the pod gets a typed answer)
            on_error(error)
    if [*learned] == asked:  # as of a batch that a cache knows: its ids are the same objects
        return learned
    return {customer_id: learned.get(customer_id, _NOBODY_SAID) for customer_id in asked}
