"""Adapters that answer lookups, and the wrapper that makes one of any `BSSAdapter`.

A `LookupAdapter` reports each customer through `learn` the moment it knows it. That is what lets
a batch hand back what it has at its deadline, and lets callers who share a customer go on without
waiting for the rest of somebody else's batch.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias, TypeVar
from uuid import UUID

from adapters import revenue
from adapters.bss_adapter import BillingAccountInfo, BSSAdapter, RevenueResult
from adapters.call import Budget, Call
from adapters.outcome import (
    Billing,
    Dispute,
    Found,
    Learn,
    Lookup,
    LookupFailed,
    Missing,
    Reason,
    Unavailable,
)

T = TypeVar("T")

LookUp: TypeAlias = Callable[[Sequence[UUID], Call, Learn[T]], Awaitable[None]]
"""One of the two questions of a `LookupAdapter`."""

TIMER_SLACK_S = 0.005
"""A timer may ring this much before its time."""

SINGLE_BUDGET_S = 0.45
BATCH_BUDGET_S = 1.9
"""The contract's section 4 asks for 500 ms and 2 s; what is left pays for the way back."""


def wall_clock() -> datetime:
    return datetime.now(tz=UTC)  # noqa: TID251  (a direct call has no edge above it to pass `now`)


class LookupAdapter(BSSAdapter):
    """Answers lookups for many customers at once, and from them the questions of the contract.

    Both `look_up_*` take distinct ids, call `learn` once for each customer as soon as it is known,
    and return when there is nothing more to learn. Customers they leave out, or that are still
    open when they raise, become `Unavailable`; `LookupFailed` carries the reason.

    Called directly, the three methods of the contract raise `LookupFailed` where the contract has
    no word for "nobody could say". The sidecar asks the lookups instead.
    """

    source: str
    """The contract's `source`."""
    is_estimate: bool = False
    """The contract's `is_estimate` when every customer was answered live."""
    reporting_currency: str = "GBP"
    """ISO 4217 code in which `get_revenue_at_risk` sums."""
    clock: Callable[[], datetime] = staticmethod(wall_clock)
    """`now` of a direct call. Under the sidecar `Call.asked_at` is the only clock."""

    @abstractmethod
    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None: ...

    @abstractmethod
    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None: ...

    async def get_billing_account(self, customer_id: UUID) -> BillingAccountInfo | None:
        lookups = await collect(self.look_up_billing, [customer_id], self._call(SINGLE_BUDGET_S))
        return revenue.billing_account(
            customer_id, lookups[customer_id], reporting_currency=self.reporting_currency
        )

    async def get_revenue_at_risk(self, customer_ids: list[UUID]) -> RevenueResult:
        call = self._call(BATCH_BUDGET_S, is_batch=len(customer_ids) > 1)
        lookups = await collect(self.look_up_billing, customer_ids, call)
        return revenue.revenue_result(
            lookups.values(),
            source=self.source,
            is_estimate=self.is_estimate,
            reporting_currency=self.reporting_currency,
        )

    async def check_disputes(self, customer_ids: list[UUID]) -> list[UUID]:
        call = self._call(BATCH_BUDGET_S, is_batch=len(customer_ids) > 1)
        lookups = await collect(self.look_up_disputes, customer_ids, call)
        return revenue.disputed(lookups)

    def _call(self, budget_s: float, *, is_batch: bool = False) -> Call:
        deadline = asyncio.get_running_loop().time() + budget_s
        return Call(deadline=deadline, asked_at=self.clock(), is_batch=is_batch)


class WrappedAdapter(LookupAdapter):
    """A bare adapter, with only the three methods of the contract, as a `LookupAdapter`.

    Its billing accounts are asked one by one, side by side, because an aggregate does not tell
    who was priced. An exception of its means that nobody could say.
    """

    def __init__(
        self, bare: BSSAdapter, *, source: str, is_estimate: bool = False, concurrency: int = 32
    ) -> None:
        self._bare = bare
        self._slots = asyncio.Semaphore(concurrency)
        self.source = source
        self.is_estimate = is_estimate

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        async with asyncio.TaskGroup() as tasks:
            for customer_id in customer_ids:
                tasks.create_task(self._look_up_one(customer_id, learn))

    async def _look_up_one(self, customer_id: UUID, learn: Learn[Billing]) -> None:
        async with self._slots:
            try:
                info = await self._bare.get_billing_account(customer_id)
            except LookupFailed as failure:
                learn(customer_id, failure.as_lookup())
            except Exception:  # noqa: BLE001  (the contract: its exception means unavailable)
                learn(customer_id, Unavailable(Reason.VENDOR_ERROR))
            else:
                learn(customer_id, _as_lookup(info))

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        active = set(await self._bare.check_disputes(list(customer_ids)))
        for customer_id in customer_ids:
            learn(customer_id, Found(Dispute(active=customer_id in active)))


def _as_lookup(info: BillingAccountInfo | None) -> Lookup[Billing]:
    if info is None:
        return Missing()
    fee = None
    if info.monthly_fee is not None:
        money = revenue.Money(Decimal(repr(info.monthly_fee)), info.currency)
        fee = revenue.customer_fee([money])
    return Found(
        Billing(
            account_id=info.account_id,
            plan_name=info.plan_name,
            monthly_fee=None if fee is None else fee.amount,
            currency=info.currency,
        )
    )


def distinct(customer_ids: Iterable[UUID]) -> list[UUID]:
    """Each id once, in the order asked."""
    return list(dict.fromkeys(customer_ids))


def _ignore(_error: Exception) -> None:
    """A direct caller has no log to write to."""


async def collect(
    look_up: LookUp[T],
    customer_ids: Iterable[UUID],
    call: Call,
    *,
    on_error: Callable[[Exception], None] = _ignore,
) -> dict[UUID, Lookup[T]]:
    """Ask, and hand back one lookup for each distinct id, in the order asked, by the deadline.

    Only cancellation passes, as from `rest_of`.
    """
    asked = distinct(customer_ids)
    learned: dict[UUID, Lookup[T]] = {}
    if not asked:
        return learned
    rest = await rest_of(look_up, asked, call, learned.setdefault, on_error=on_error)
    return {customer_id: learned.get(customer_id, rest) for customer_id in asked}


async def rest_of(
    look_up: LookUp[T],
    customer_ids: Sequence[UUID],
    call: Call,
    learn: Learn[T],
    *,
    within: Budget | None = None,
    on_error: Callable[[Exception], None] = _ignore,
) -> Unavailable:
    """Ask, and hand back what is to be said of the customers about whom nothing was learned.

    It ends with the budget `within`, the call's own unless given. Only cancellation passes.
    Whatever else breaks is in what is handed back; an exception that is neither `LookupFailed` nor
    the end of the budget is also handed to `on_error`.
    """
    budget = within or call.budget
    try:
        async with budget.timer():
            await look_up(customer_ids, call, learn)
    except LookupFailed as failure:
        return failure.as_lookup()
    except TimeoutError as error:
        if budget.deadline - asyncio.get_running_loop().time() <= TIMER_SLACK_S:
            return Unavailable(Reason.DEADLINE)
        on_error(error)  # one of its own, while there was time left
    except Exception as error:  # noqa: BLE001  (fail-open: the pod gets a typed answer)
        if (known := _only_failure(error)) is not None:
            return known.as_lookup()
        on_error(error)
    else:
        return Unavailable(Reason.BAD_RESPONSE)
    return Unavailable(Reason.VENDOR_ERROR)


def _only_failure(error: Exception) -> LookupFailed | None:
    """A task group wraps what its tasks raise; where all of that is known, the first one speaks."""
    if not isinstance(error, ExceptionGroup):
        return None
    known, others = error.split(LookupFailed)
    if known is None or others is not None:
        return None
    first: BaseException = known
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first if isinstance(first, LookupFailed) else None
