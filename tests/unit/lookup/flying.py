"""An adapter whose answers a test gives one by one, under the layer that shares them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from adapters.call import Call
from adapters.lookup import LookupAdapter
from adapters.outcome import Billing, Dispute, Found, Learn, Lookup, LookupFailed, Reason
from proxy.lifecycle import Tasks
from proxy.lookup.coalesce import Coalesce

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_S = 1000.0
"""Nothing here waits for it: time leaps."""
SOON_S = 10.0
"""Who is not answered by then never will be."""


def fee(amount: int) -> Found[Billing]:
    return Found(Billing(monthly_fee=Decimal(amount), currency="GBP"))


@dataclass(eq=False)
class Asked:
    """One lookup that has come through to the adapter."""

    ids: list[UUID]
    call: Call
    learn: Learn[Any]
    over: "asyncio.Future[Exception | None]" = field(repr=False)
    cancelled: bool = False

    def end(self, failure: Exception | None = None) -> None:
        if not self.over.done():
            self.over.set_result(failure)

    def answer(self, *lookups: Lookup[Any]) -> None:
        """About its customers, in the order asked; then it is over."""
        for customer_id, lookup in zip(self.ids, lookups, strict=True):
            self.learn(customer_id, lookup)
        self.end()


class Vendor(LookupAdapter):
    """Meets the deadline of a call by itself, as every adapter's exchanges do."""

    source = "double"

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.deaf = False
        """It looks at no deadline."""
        self.turns_to_end = 0
        """Of the event loop, once it is cancelled."""

    @property
    def under_way(self) -> list[Asked]:
        return [one for one in self.asked if not one.over.done()]

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        await self._ask(customer_ids, call, learn)

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        await self._ask(customer_ids, call, learn)

    async def _ask(self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Any]) -> None:
        over = asyncio.get_running_loop().create_future()
        one = Asked(list(customer_ids), call, learn, over)
        self.asked.append(one)
        try:
            failure = await (over if self.deaf else self._in_time(over, call))
        except asyncio.CancelledError:
            for _ in range(self.turns_to_end):
                await asyncio.sleep(0)
            one.cancelled = True
            raise
        if failure is not None:
            raise failure

    @staticmethod
    async def _in_time(over: "asyncio.Future[Exception | None]", call: Call) -> Exception | None:
        try:
            async with call.budget.timer():
                return await over
        except TimeoutError:
            return LookupFailed(Reason.DEADLINE)


@dataclass
class Question:
    """One that was asked, and what it has learned."""

    call: Call
    learned: dict[UUID, Lookup[Any]]
    task: "asyncio.Task[None]"

    async def result(self) -> dict[UUID, Lookup[Any]]:
        """All that it learned, when it is over; a failure is not raised."""
        with suppress(LookupFailed):
            async with asyncio.timeout(SOON_S):
                await self.task
        return self.learned


class Bench:
    """A layer that shares, with the vendor below and the questions above."""

    def __init__(self, most_customers: int = 10_000) -> None:
        self.vendor = Vendor()
        self.reported: list[str] = []
        self.lost: list[BaseException] = []
        self.tasks = Tasks(self.lost.append)
        self.layer = Coalesce(
            self.vendor,
            spawn=self.tasks.spawn,
            report=self.reported.append,
            most_customers=most_customers,
        )

    async def ask(
        self,
        *customer_ids: UUID,
        budget_s: float = LONG_S,
        disputes: bool = False,
        settle: bool = True,
    ) -> Question:
        loop = asyncio.get_running_loop()
        is_batch = len(customer_ids) > 1
        call = Call(deadline=loop.time() + budget_s, asked_at=NOW, is_batch=is_batch)
        learned: dict[UUID, Lookup[Any]] = {}
        look_up: Callable[..., Any] = (
            self.layer.look_up_disputes if disputes else self.layer.look_up_billing
        )
        task = loop.create_task(look_up(list(customer_ids), call, learned.setdefault))
        task.add_done_callback(lambda one: one.cancelled() or one.exception())  # not told as lost
        if settle:
            await settled()
        return Question(call, learned, task)

    async def is_idle(self) -> bool:
        """Whether nothing is left behind once everything has moved."""
        await settled()
        return not (self.layer.flights or self.layer.customers_in_flight or self.tasks._running)

    async def close(self) -> None:
        await self.tasks.cancel()
        assert self.lost == []


async def settled() -> None:
    """Until everything has moved that can, as time stands still."""
    for _ in range(12):
        await asyncio.sleep(0)


async def finish(questions: Iterable[Question]) -> None:
    for one in questions:
        one.task.cancel()
    await settled()
