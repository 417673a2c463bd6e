"""The customers of the demo's tenants, and what is true of each of them.

Customer `n` (0 … 999) of a tenant, by its number:

| n | is |
|---|---|
| n % 10 = 9 | unknown to the vendor (n % 100 = 99: Pedkai has no vendor id for it either) |
| n % 10 = 8 | known, without a price |
| n % 10 = 7 | billed yearly, often in an amount whose twelfth must be rounded |
| n % 10 = 6 | holder of two products |
| n % 50 = 5 | in a dispute that was opened within 30 days and is still active |
| n % 50 = 25 | one whose dispute was closed long ago |

All others have one priced product. Every fee is in GBP, without tax, and differs by tenant. Beyond
that list some are special to keep adapters honest: n % 250 = 240 pays a real 0.00; n % 50 = 15 has
a trouble ticket that is no dispute; n % 50 = 35 an old dispute that nobody works on any more;
n % 50 = 45 one that was resolved within the window.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal, TypeAlias, get_args
from uuid import NAMESPACE_URL, UUID, uuid5

CUSTOMERS = 1_000
CURRENCY = "GBP"

Shape: TypeAlias = Literal["amdocs", "cerillion", "csg"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

_PENNY = Decimal("0.01")
_DAYS_OF_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Charge:
    """What a customer pays for one product, once in a period."""

    amount: Decimal = field(repr=False)
    """Without tax, in GBP, for a whole period."""
    months: int = 1
    """Length of the period in months; 0 where it is counted in days."""
    days: int = 0

    def monthly(self) -> Decimal:
        """For a month, not rounded. Days become months by the year: × 365 ÷ days ÷ 12."""
        if self.days:
            return self.amount * _DAYS_OF_A_YEAR / self.days / 12
        return self.amount / self.months


@dataclass(frozen=True, slots=True)
class TicketPlan:
    """A trouble ticket that a customer has raised, in days before now."""

    kind: Literal["dispute", "other"]
    state: str
    opened_days_ago: int
    changed_days_ago: int

    def opened_at(self, now: datetime) -> datetime:
        return now - timedelta(days=self.opened_days_ago)

    def changed_at(self, now: datetime) -> datetime:
        return now - timedelta(days=self.changed_days_ago)

    def is_active_dispute(self, now: datetime) -> bool:
        recent = self.changed_at(now) >= now - timedelta(days=30)
        return self.kind == "dispute" and self.state not in ("closed", "resolved") and recent


@dataclass(frozen=True, slots=True)
class Truth:
    """What an honest answer says about one customer."""

    known: bool
    monthly_fee: Decimal | None = field(repr=False)
    """Rounded once, half-even, to the penny."""
    disputed: bool


def customer_id(tenant: str, n: int) -> UUID:
    """Pedkai's own id of customer `n`."""
    return uuid5(NAMESPACE_URL, f"{tenant}/{n}")


def vendor_id(shape: Shape, n: int) -> str:
    """What Pedkai's `external_id` holds: the id by which the vendor of this shape is asked.

    An individual (Amdocs), an account of 8 digits (Cerillion), a customer (CSG).
    """
    return {"amdocs": f"IND-{n:06d}", "cerillion": f"{20_000_000 + n}", "csg": f"{7_000_000 + n}"}[
        shape
    ]


def identity_rows(tenant: str, shape: Shape) -> Iterator[tuple[UUID, str]]:
    """Pedkai's id and the vendor's id of each customer for whom Pedkai has one."""
    for n in range(CUSTOMERS):
        if n % 100 != 99:
            yield customer_id(tenant, n), vendor_id(shape, n)


def is_known(n: int) -> bool:
    """Whether the vendor has heard of this customer."""
    return n % 10 != 9


def charges(tenant: str, n: int) -> tuple[Charge, ...]:
    """One recurring charge for each priced product of customer `n`."""
    base = _monthly_amount(tenant, n)
    match n % 10:
        case 8 | 9:
            return ()
        case 7:
            return (Charge(_yearly_amount(base, n), months=12),)
        case 6:
            return (Charge(base), Charge(_monthly_amount(tenant, n + 5_000) / 2))
        case 4:
            return (_odd_period(base, n),)
        case _:
            return (Charge(Decimal("0.00") if n % 250 == 240 else base),)


def ticket_plan(n: int) -> TicketPlan | None:
    """The trouble ticket of customer `n`, if there is one."""
    match n % 50:
        case 5:
            opened = 2 + (n // 50) % 26
            states = ("inProgress", "acknowledged", "pending", "held")
            return TicketPlan("dispute", states[(n // 50) % 4], opened, opened // 2)
        case 15:
            return TicketPlan("other", "inProgress", 3, 1)
        case 25:
            return TicketPlan("dispute", "closed", 200, 170)
        case 35:
            return TicketPlan("dispute", "pending", 200, 170)
        case 45:
            return TicketPlan("dispute", "resolved", 12, 4)
        case _:
            return None


def truth(tenant: str, n: int, now: datetime) -> Truth:
    """What is true of customer `n` at `now`, the moment for which the data were made."""
    paid = charges(tenant, n)
    total = sum((charge.monthly() for charge in paid), Decimal(0))
    plan = ticket_plan(n)
    return Truth(
        known=is_known(n),
        monthly_fee=total.quantize(_PENNY, rounding=ROUND_HALF_EVEN) if paid else None,
        disputed=plan is not None and plan.is_active_dispute(now),
    )


def _monthly_amount(tenant: str, n: int) -> Decimal:
    """Between 8.00 and 103.98, always in even pennies so that it can be halved."""
    dice = zlib.crc32(f"{tenant}/{n}".encode())
    return 8 + 2 * _PENNY * (dice % 4_800)


def _yearly_amount(monthly: Decimal, n: int) -> Decimal:
    """Sometimes a whole number of pennies a month, sometimes a third, sometimes exactly a half."""
    return (
        monthly * 12
        + (Decimal("0.06"), Decimal("0.07"), Decimal("0.00"), Decimal("0.11"))[n // 10 % 4]
    )


def _odd_period(amount: Decimal, n: int) -> Charge:
    match n // 10 % 5:
        case 1:
            return Charge(amount * 3 + _PENNY, months=3)
        case 2:
            return Charge(amount, days=28)
        case 3:
            return Charge(amount / 2, days=7)
        case _:
            return Charge(amount)
