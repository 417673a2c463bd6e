"""What the contract suite needs to know of whatever it is run against.

A **subject** is anything that answers the three questions, together with the **truth** about its
customers and a switch that makes the billing system behind it unreachable. One file in
`tests/contract/subjects/` makes one subject; `README.md` beside this file says how.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from adapters.bss_adapter import BSSAdapter, RevenueResult


@dataclass(frozen=True, slots=True)
class Customer:
    """What is true of one customer, from the billing system's own data."""

    customer_id: UUID
    known: bool = True
    """Whether the billing system has such a customer."""
    fee: Decimal | None = None
    """The monthly fee, to the penny; `None`: no price is known."""
    plan_name: str | None = None
    """The plan, or of several the one with the largest fee; `None`: it is not checked."""
    yearly: bool = False
    """Billed by the year."""
    products: int = 1
    """Products with a price."""
    disputes: bool = False
    """An active billing dispute was opened within the last 30 days."""
    disputed_long_ago: bool = False


Switch = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subject:
    """One implementation of the contract."""

    adapter: BSSAdapter
    source: str
    """What the contract's `source` must say."""
    is_estimate: bool
    """What the contract's `is_estimate` must say as long as everything is live."""
    customers: Sequence[Customer]
    """At least 200, of every kind."""
    cut: Switch
    """The billing system can't be reached from here on."""
    restore: Switch
    """It can again."""

    def some(self, kind: Callable[[Customer], bool], count: int = 3) -> list[Customer]:
        """The first customers of a kind. That there are enough of them is part of the suite."""
        chosen = [customer for customer in self.customers if kind(customer)][:count]
        assert len(chosen) == count, "the subject has too few customers of this kind"
        return chosen


class MakeSubject(Protocol):
    """What a file in `subjects/` calls `subject`."""

    def __call__(self, scratch: Path) -> AbstractAsyncContextManager[Subject]:
        """A subject that lives as long as the context, with an empty folder of its own."""
        ...


def ids(customers: Iterable[Customer]) -> list[UUID]:
    return [customer.customer_id for customer in customers]


def total(customers: Iterable[Customer]) -> Decimal | None:
    """What the contract's total must be: the sum of the known fees, `None` if there is none."""
    fees = [customer.fee for customer in customers if customer.fee is not None]
    return sum(fees, Decimal(0)) if fees else None


def exact(amount: float | None) -> Decimal | None:
    """The decimal number that a float of the contract stands for."""
    return None if amount is None else Decimal(repr(amount))


def numbered(tenant: str, number: int) -> UUID:
    """Pedkai's id of customer `number` of a tenant of the demonstration."""
    return uuid5(NAMESPACE_URL, f"{tenant}/{number}")


def is_priced(customer: Customer) -> bool:
    return customer.fee is not None


def is_unknown(customer: Customer) -> bool:
    return not customer.known


def is_without_a_price(customer: Customer) -> bool:
    return customer.known and customer.fee is None


PATIENCE = 8


async def live(subject: Subject, customers: Sequence[Customer]) -> RevenueResult:
    """The result of a batch that was answered whole.

    A machine that is busy elsewhere can make an answer late, and then it says so; it is asked for
    again, a few times.
    """
    for _ in range(PATIENCE):
        result = await subject.adapter.get_revenue_at_risk(ids(customers))
        if result.is_estimate is subject.is_estimate:
            break
    return result
