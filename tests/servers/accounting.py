"""What customers owe a month, worked out a second time, by hand, from a vendor's raw rows.

It knows the handful of spellings that the simulators use, and no more: it is here to disagree with
the adapters when they are wrong, not to be clever.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, TypeAlias

from adapters.simulator.vendor_data import VendorData

Row: TypeAlias = dict[str, Any]

PENNY = Decimal("0.01")
VAT = Decimal("1.2")
CHARGED = {"active", "pendingterminate", "suspended"}
RECURRING = {"recurring", "recurringcharge", "reccurring"}
MONTHS = {
    "month": 1, "monthly": 1, "1 month": 1, "p1m": 1,
    "quarter": 3, "3 months": 3, "p3m": 3,
    "year": 12, "annual": 12, "p1y": 12, "12 months": 12,
}  # fmt: skip
DAYS = {"week": 7, "1 week": 7, "7 days": 7, "4 weeks": 28, "28 days": 28}


class Undecidable(Exception):  # noqa: N818  (what a row is, not an error)
    """Nobody can say what this price comes to in a month."""


def fee(products: Sequence[Row], rates: Iterable[Row] = ()) -> Decimal | None:
    """The monthly fee of one customer, from its own products and applied billing rates."""
    counted = [row for row in products if word(row["status"]) in CHARGED]
    bundled = {
        child["id"]
        for row in counted
        if any(price.get("price") for price in row["productPrice"])
        for child in row.get("product", ())
    }
    try:
        amounts = [
            monthly(price)
            for row in counted
            if row["id"] not in bundled
            for price in row["productPrice"]
            if word(price["priceType"]) in RECURRING
        ]
    except Undecidable:
        amounts = []
    amounts = amounts or list(billed(rates))
    total = sum(amounts, Decimal(0)).quantize(PENNY, rounding=ROUND_HALF_EVEN)
    return total if amounts else None


def monthly(price: Row) -> Decimal:
    amount = without_tax(price.get("price", {}))
    for discount in [*price.get("productPriceAlteration", ()), *price.get("priceAlteration", ())]:
        off = discount["price"]  # with either sign: a discount never adds
        amount -= abs(amount * off["percentage"] / 100 if "percentage" in off else without_tax(off))
    period = word(price["recurringChargePeriod"])
    if period in MONTHS:
        return amount / MONTHS[period]
    if period in DAYS:
        return amount * 365 / DAYS[period] / 12
    raise Undecidable


def billed(rates: Iterable[Row]) -> Iterable[Decimal]:
    """The recurring charge of each product, as it was billed last."""
    last: dict[str, Row] = {}
    for rate in rates:
        kind = rate.get("type") or rate.get("appliedBillingRateType")
        product = rate["product"]["id"]
        if word(kind) in RECURRING and (product not in last or ends(rate) > ends(last[product])):
            last[product] = rate
    for rate in last.values():
        start, end = (
            datetime.fromisoformat(rate["periodCoverage"][edge])
            for edge in ("startDateTime", "endDateTime")
        )
        months = (end.year - start.year) * 12 + end.month - start.month
        yield Decimal(rate["taxExcludedAmount"]["value"]) / months


def ends(rate: Row) -> str:
    text: str = rate["periodCoverage"]["endDateTime"]
    return text


def without_tax(price: Row) -> Decimal:
    if "dutyFreeAmount" in price:
        return Decimal(price["dutyFreeAmount"]["value"])
    if "taxIncludedAmount" in price:
        return Decimal(price["taxIncludedAmount"]["value"]) / VAT
    raise Undecidable


def word(text: Any) -> str:
    return str(text).strip().lower()


@dataclass(frozen=True, slots=True)
class Books:
    """What a vendor's raw rows say about each customer, by its number."""

    products: Mapping[int, Sequence[Row]]
    rates: Mapping[int, Sequence[Row]]
    """Empty where the vendor fills in the prices of its products."""
    known: frozenset[int]
    disputing: frozenset[int]

    @classmethod
    def of(cls, data: VendorData, now: datetime) -> "Books":
        rates = data.rows("appliedCustomerBillingRate") if data.shape == "cerillion" else ()
        return cls(
            products=_by_number(data.rows("product"), "PRD-"),
            rates=_by_number(rates, "RATE-"),
            known=frozenset(int(row["name"].split()[-1]) for row in data.rows("customer")),
            disputing=frozenset(
                int(row["id"].removeprefix("TT-"))
                for row in data.rows("troubleTicket")
                if is_dispute(row, now)
            ),
        )

    def fee(self, number: int) -> Decimal | None:
        return fee(self.products.get(number, ()), self.rates.get(number, ()))

    def total(self, numbers: Iterable[int]) -> Decimal:
        fees = (self.fee(number) for number in numbers)
        return sum((one for one in fees if one is not None), Decimal(0))


def is_dispute(ticket: Row, now: datetime) -> bool:
    changed = datetime.fromisoformat(ticket["statusChangeDate"])
    return (
        word(ticket["ticketType"]) == "bill dispute"
        and word(ticket["status"]) in {"acknowledged", "pending", "held", "inprogress"}
        and now - changed <= timedelta(days=30)
    )


def _by_number(rows: Iterable[Row], prefix: str) -> Mapping[int, Sequence[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[int(row["id"].removeprefix(prefix).split("-")[0])].append(row)
    return found
