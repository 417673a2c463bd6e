"""The layer on whose word a pod may rely: whatever breaks below, each customer gets a lookup in
time. Above it is only what never waits for long, and `ask`, which lets no exception out.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from adapters.call import Call
from adapters.lookup import TIMER_SLACK_S, LookUp, LookupAdapter, collect
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
        loop = asyncio.get_running_loop()
        head_start_s = min(HEAD_START_S, call.remaining_s(loop.time()) / 10)
        early = call.until(call.deadline - head_start_s)

        async def leashed(asked: Sequence[UUID], _early: Call, learn_here: Learn[T]) -> None:
            answering = True

            def learn_both(customer_id: UUID, lookup: Lookup[T]) -> None:
                if answering:  # what an adapter left behind learns later is nobody's any more
                    learn_here(customer_id, lookup)
                    learn(customer_id, lookup)

            try:
                await self._on_a_leash(look_up, asked, call, learn_both)
            finally:
                answering = False

        lookups = await collect(leashed, customer_ids, early, on_error=self._report_type)
        for customer_id, lookup in lookups.items():
            learn(customer_id, lookup)

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
            answer_is_due = loop.time() >= call.deadline - HEAD_START_S - TIMER_SLACK_S
            if not answer_is_due:  # nobody waits for one any more
                task.cancel()
                await asyncio.wait({task}, timeout=GRACE_S)
            else:
                loop.call_at(call.deadline + GRACE_S, task.cancel)
            raise
        if task.cancelled():
            raise LookupFailed(Reason.VENDOR_ERROR, "the adapter cancelled itself")
        for error in failed:
            raise error

    def _report_type(self, error: Exception) -> None:
        self._report(type_names(error))


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
