"""What was billed (TMF678 `appliedCustomerBillingRate`), as the fallback for a fee without prices.

Only recurring rows whose period is known count, and of each product only those of its latest
period: the mean of past bills would be an ARPU, which the contract forbids. A row of which it
can't be told whether it recurs, or for how long it is, leaves the customer without a fee, unless
it ended before the newest period began. So does a bill that is not of what the customer has now:
one that names a product which is not shown, or lacks a product which is charged.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TypeAlias

from adapters.outcome import Billing
from adapters.tmf.billing import Part, billing_from
from adapters.tmf.charges import Charge, PriceRules, Verdict
from adapters.tmf.coverage import Coverage, coverage, nearest_day
from adapters.tmf.fields import (
    Row,
    entries,
    identifier,
    instant,
    is_absent,
    is_row,
    is_same,
    one,
    reference_id,
    text,
)
from adapters.tmf.kinds import ChargeKind, charge_kind
from adapters.tmf.periods import charge_period, months, states_period
from adapters.tmf.products import Reading
from adapters.tmf.tax import Amount, in_basis

_DAYS_OF_A_MONTH = 31
_SHORTEST_GAP_DAYS = 26
"""Two monthly bills are never nearer to each other."""


@dataclass(frozen=True, slots=True)
class _Rate:
    """One row that recurs, over a known stretch."""

    part: Part
    name: str | None = field(repr=False)
    start: date
    end: date
    months: Fraction

    @property
    def series(self) -> tuple[str | None, str, Fraction]:
        """Rows of one series follow each other; series of several lengths run side by side."""
        return self.part.charge.account, self.part.product, self.months


@dataclass(frozen=True, slots=True)
class _Unclear:
    """A row that can't be decided; the day after its stretch, if that much is known."""

    end: date | None


_Read: TypeAlias = _Rate | _Unclear | None


def with_applied_rates(
    reading: Reading, rows: Sequence[object], rules: PriceRules, now: datetime
) -> Billing:
    """The billing of a customer whose products carry no price, with the fee that was billed."""
    charges = charges_of(rows, rules, now, ended=reading.ended, plans=reading.plans)
    if isinstance(charges, Verdict) or not _is_of_today(charges, reading):
        return reading.known.without_fee()
    known = reading.known
    return billing_from(charges, known.connection, lambda: known)


def _is_of_today(charges: Sequence[Part], reading: Reading) -> bool:
    """Whether what was billed is what the customer has. A bill that names no products is whole."""
    billed = {part.product for part in charges}
    if not billed - {""} <= reading.charged:
        return False
    return "" in billed or not any(family.isdisjoint(billed) for family in reading.unpriced)


def charges_of(
    rows: Sequence[object],
    rules: PriceRules,
    now: datetime,
    *,
    ended: Collection[str] = (),
    plans: Mapping[str, str] | None = None,
) -> list[Part] | Verdict:
    """The charges in the applied billing rates of one customer, or `Verdict.UNDECIDABLE`.

    `ended` are ids of products that are no longer charged; `plans` names others, by product id.
    """
    once = _once(rows)
    if once is None:
        return Verdict.UNDECIDABLE
    current = [row for row in once if reference_id(row.get("product")) not in ended]
    found = [_read(row, rules, plans or {}) for row in current]
    return _latest(found, nearest_day(now))


def _once(rows: Iterable[object]) -> list[Row] | None:
    """Each row once; `None` when one is no row, or two of one id contradict each other."""
    known: dict[str, Row] = {}
    found: list[Row] = []
    for row in rows:
        if not is_row(row):
            return None
        row_id = identifier(row.get("id"))
        if row_id is None or row_id not in known:
            found.append(row)
        elif not is_same(known[row_id], row):
            return None
        if row_id is not None:
            known[row_id] = row
    return found


def _read(row: Row, rules: PriceRules, plans: Mapping[str, str]) -> _Read:
    """`None` for a row that adds nothing to a month."""
    written = row.get("appliedBillingRateType") or row.get("type")
    kind, covered = charge_kind(written), coverage(row.get("periodCoverage"))
    if kind is ChargeKind.ADDS_NOTHING or (covered and covered.months == 0):
        return None
    stretch, money = _stretch(row, kind, months(written), covered), _money(row, rules)
    if stretch is None or not stretch.months or money is None:
        return _Unclear(covered.end if covered else None)
    is_discount = kind is ChargeKind.DISCOUNT or money.value < 0
    value = -abs(money.value) if is_discount else money.value
    account = reference_id(row.get("billingAccount"))
    charge = Charge(value / stretch.months, money.currency, account, is_discount=is_discount)
    part = _part(row, charge, plans)
    return _Rate(part, text(row.get("name")), stretch.start, stretch.end, stretch.months)


def _stretch(
    row: Row, kind: ChargeKind, stated: Fraction | None, covered: Coverage | None
) -> Coverage | None:
    """The stretch of a recurring row; `None` when it is not known, or if the row may not recur.

    The official v5 sample writes the period in the type: "monthly". What is stated and what is
    covered must agree.
    """
    if stated is None and kind not in (ChargeKind.RECURRING, ChargeKind.DISCOUNT):
        return None
    if states_period(row):
        stated = charge_period(row)
        if stated is None:
            return None
    if covered is not None:
        return covered if stated in (None, covered.months) else None
    billed = instant(row.get("date"))
    if stated is None or billed is None or not is_absent(row.get("periodCoverage")):
        return None
    end, gap = nearest_day(billed), timedelta(days=int(stated * _SHORTEST_GAP_DAYS))
    return Coverage(end - gap, end, stated) if end > date.min + gap else None


def _money(row: Row, rules: PriceRules) -> Amount | None:
    taxes = entries(row.get("appliedTax"))
    tax = one(list(taxes)) if taxes else None
    found = in_basis(
        rules,
        excluded=row.get("taxExcludedAmount"),
        included=row.get("taxIncludedAmount"),
        tax_rate=tax.get("taxRate") if tax else None,
    )
    return found if isinstance(found, Amount) else None


def _part(row: Row, charge: Charge, plans: Mapping[str, str]) -> Part:
    product_id, product = reference_id(row.get("product")), one(row.get("product"))
    name = plans.get(product_id or "") or (text(product.get("name")) if product else None)
    return Part(charge, product_id or "", name)


def _latest(found: Sequence[_Read], today: date) -> list[Part] | Verdict:
    series: defaultdict[object, list[_Rate]] = defaultdict(list)
    for rate in found:
        if isinstance(rate, _Rate):
            series[rate.series].append(rate)
    counted: list[_Rate] = []
    for rates in series.values():
        newest = max(rates, key=lambda rate: rate.end)
        if _is_over(newest, today):
            continue
        latest = [rate for rate in rates if rate.end == newest.end]
        if not _is_followed_by(latest, rates):
            return Verdict.UNDECIDABLE
        counted.extend(latest)
    begun = max((rate.start for rate in counted), default=date.min)
    unclear = [one for one in found if isinstance(one, _Unclear)]
    if any(row.end is None or row.end > begun for row in unclear):
        return Verdict.UNDECIDABLE
    if counted and all(rate.part.charge.is_discount for rate in counted):
        return Verdict.UNDECIDABLE
    return [rate.part for rate in counted]


def _is_over(newest: _Rate, today: date) -> bool:
    """Whether a series has ended: the bill after its newest row is more than a month late."""
    late_days = _DAYS_OF_A_MONTH * (int(newest.months) + 1)
    return (today - newest.end).days > late_days


def _is_followed_by(latest: Sequence[_Rate], rates: Sequence[_Rate]) -> bool:
    """Whether the rows of the latest period take the place of all those before.

    A row that overlaps them does not end where they begin, and a row of the period just before
    them whose name they lack may have ended or may come late: both are undecidable.
    """
    start = min(rate.start for rate in latest)
    names = {rate.name for rate in latest}
    return all(
        rate.end < start or (rate.end == start and rate.name in names)
        for rate in rates
        if rate not in latest
    )
