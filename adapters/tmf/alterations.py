"""Price alterations: what lowers or raises a recurring price, in order of priority.

TMF637 calls a product's price "price and discount awarded", and v4 has no negative money, so an
alteration lowers its price, whether it is written as 10 or as -10, unless its kind is a surcharge.
It is undecidable, and with it the price, when

* its kind is unknown, or its name speaks of a surcharge and its kind does not;
* it lasts for an `applicationDuration`, which has no unit, and no end date decides;
* it is both a percentage and an amount, or neither;
* percentages and amounts meet without priorities that say which comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import combinations

from adapters.tmf.charges import PriceRules, Verdict
from adapters.tmf.fields import Row, entries, instant, is_absent, is_row, is_same, one
from adapters.tmf.kinds import ChargeKind, charge_kind, hints_at_surcharge
from adapters.tmf.numbers import amount
from adapters.tmf.periods import charge_period, in_force, states_period
from adapters.tmf.tax import Amount, price_amount

_EVERYTHING = Fraction(100)
_DIRECTIONS = {
    ChargeKind.RECURRING: -1,
    ChargeKind.UNSAID: -1,
    ChargeKind.DISCOUNT: -1,
    ChargeKind.SURCHARGE: 1,
}


@dataclass(frozen=True, slots=True)
class _Alteration:
    """One step: a share of what stands so far, or an amount a month."""

    share: Fraction = field(repr=False)
    monthly: Fraction = field(repr=False)
    priority: Fraction | None

    def apply(self, so_far: Fraction) -> Fraction:
        return so_far * (1 + self.share) + self.monthly

    def commutes(self, other: "_Alteration") -> bool:
        """Percentages among themselves, and amounts among themselves, can take any order."""
        return bool(self.share) == bool(other.share) or self.has_other_priority(other)

    def has_other_priority(self, other: "_Alteration") -> bool:
        known = self.priority is not None and other.priority is not None
        return known and self.priority != other.priority


def altered(
    monthly: Fraction, price: Row, rules: PriceRules, now: datetime, *, amount_read: Amount
) -> Fraction | None:
    """The monthly amount after all alterations that hold now; `None` when one is undecidable.

    `price` is the product price, `amount_read` what was read of it. v4 has the list in
    `productPriceAlteration`, v5 in `priceAlteration`. The lowest priority comes first.
    """
    listed = _listed(price)
    if not listed:
        return None if listed is None else monthly
    steps: list[_Alteration] = []
    for raw in listed:
        step = _read(raw, price, rules, now, currency=amount_read.currency)
        if step is Verdict.UNDECIDABLE:
            return None
        if isinstance(step, _Alteration) and (step.share or step.monthly):
            steps.append(step)
    if not _have_an_order(steps) or (steps and monthly < 0):
        return None
    for step in sorted(steps, key=lambda one: one.priority or 0):
        monthly = step.apply(monthly)
    return monthly


def _listed(price: Row) -> Sequence[object] | None:
    v4, v5 = price.get("productPriceAlteration"), price.get("priceAlteration")
    if v4 is None:
        return entries(v5)
    if is_absent(v4) or is_same(v4, v5):
        return entries(v5)
    return entries(v4) if is_absent(v5) else None


def _have_an_order(steps: list[_Alteration]) -> bool:
    return all(one.commutes(other) for one, other in combinations(steps, 2))


def _read(
    raw: object, price: Row, rules: PriceRules, now: datetime, *, currency: str
) -> _Alteration | Verdict:
    if not is_row(raw):
        return Verdict.UNDECIDABLE
    kind = charge_kind(raw.get("priceType"))
    holds = _holds(raw, now)
    if kind is ChargeKind.ADDS_NOTHING or holds is False:
        return Verdict.NOTHING
    if holds is None or kind not in _DIRECTIONS:
        return Verdict.UNDECIDABLE
    if kind in (ChargeKind.RECURRING, ChargeKind.UNSAID) and hints_at_surcharge(raw.get("name")):
        return Verdict.UNDECIDABLE
    step = _step(raw, price, rules, currency=currency)
    return Verdict.UNDECIDABLE if step is None else _directed(step, kind)


def _holds(raw: Row, now: datetime) -> bool | None:
    """Whether an alteration applies now. A duration without a unit needs an end date."""
    holds = in_force(raw.get("validFor"), now)
    if not holds or is_absent(raw.get("applicationDuration")):
        return holds
    valid_for = one(raw.get("validFor"))
    ends = instant(valid_for.get("endDateTime")) if valid_for else None
    return True if ends else None


def _step(raw: Row, price: Row, rules: PriceRules, *, currency: str) -> _Alteration | None:
    """The alteration as written, its sign included; `None` when it is undecidable."""
    altering, altered_price = one(raw.get("price")), one(price.get("price"))
    priority = amount(raw.get("priority"))
    if altering is None or altered_price is None:
        return None
    if priority is None and not is_absent(raw.get("priority")):
        return None
    flat = price_amount(altering, rules, tax_rate=altered_price.get("taxRate"))
    percentage = amount(altering.get("percentage"))
    if percentage is None and not is_absent(altering.get("percentage")):
        return None
    monthly = Fraction(0)
    if isinstance(flat, Amount) and flat.value:
        length = charge_period(raw if states_period(raw) else price)
        if length is None or flat.currency != currency or percentage:
            return None
        monthly = flat.value / length
    elif flat is Verdict.UNDECIDABLE or (flat is Verdict.MISSING and percentage is None):
        return None
    return _Alteration(
        share=Fraction(percentage or 0) / 100,
        monthly=monthly,
        priority=None if priority is None else Fraction(priority),
    )


def _directed(step: _Alteration, kind: ChargeKind) -> _Alteration | Verdict:
    """The alteration as meant. A negative surcharge contradicts itself."""
    direction = _DIRECTIONS[kind]
    if direction > 0 and min(step.share, step.monthly) < 0:
        return Verdict.UNDECIDABLE
    if direction < 0 and abs(step.share) > 1:
        return Verdict.UNDECIDABLE
    return _Alteration(direction * abs(step.share), direction * abs(step.monthly), step.priority)
