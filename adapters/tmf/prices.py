"""From one TMF637 product price, v4 or v5, to what it adds to a month."""

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from adapters.tmf.alterations import altered
from adapters.tmf.charges import Charge, PriceRules, Verdict
from adapters.tmf.fields import Row, folded, identifier, is_absent, is_row, one, reference_id
from adapters.tmf.kinds import ChargeKind, charge_kind
from adapters.tmf.periods import charge_period, in_force, months
from adapters.tmf.tax import Amount, price_amount

_CAN_RECUR = (ChargeKind.RECURRING, ChargeKind.DISCOUNT, ChargeKind.UNSAID)
_COUNTED_ONCE = ("1", "each", "ea", "unit", "units", "item", "piece")


def monthly_charge(price: object, rules: PriceRules, now: datetime) -> Charge | Verdict:
    """What a price adds to a month, or why it adds nothing that is known.

    A price of no stated kind recurs when it states a period. A discount lowers, whichever sign it
    is written with. An amount that is only in the catalog (`productOfferingPrice`) is missing.
    """
    if not is_row(price):
        return Verdict.UNDECIDABLE
    kind, holds = charge_kind(price.get("priceType")), in_force(price.get("validFor"), now)
    if kind is ChargeKind.ADDS_NOTHING or holds is False:
        return Verdict.NOTHING
    if kind not in _CAN_RECUR or holds is None:
        return Verdict.UNDECIDABLE
    found = _amount(price, rules)
    if isinstance(found, Verdict):
        return found
    charge = _recurring(price, found, rules, now)
    is_discount = kind is ChargeKind.DISCOUNT or found.value.numerator < 0
    if isinstance(charge, Charge) and is_discount:
        return replace(charge, amount=-abs(charge.amount), is_discount=True)
    return charge


def currency_of(price: object, rules: PriceRules) -> str | None:
    """The currency of a price, also of one that can't be decided."""
    found = _amount(price, rules) if is_row(price) else None
    return found.currency if isinstance(found, Amount) else None


def _recurring(price: Row, found: Amount, rules: PriceRules, now: datetime) -> Charge | Verdict:
    length = charge_period(price)
    if length is None or _is_by_quantity(price, found, length):
        return Verdict.UNDECIDABLE
    each_month = found.value if length == 1 else found.value / length
    monthly = altered(each_month, price, rules, now, amount_read=found)
    if monthly is None:
        return Verdict.UNDECIDABLE
    return Charge(monthly, found.currency, reference_id(price.get("billingAccount")))


def _amount(price: Row, rules: PriceRules) -> Amount | Verdict:
    if is_absent(price.get("price")):
        return Verdict.MISSING
    written = one(price["price"])
    if written is None:
        return Verdict.UNDECIDABLE
    found = price_amount(written, rules)
    if found is Verdict.MISSING and not is_absent(written.get("percentage")):
        return Verdict.UNDECIDABLE  # a share, and nothing says of what
    return found


def _is_by_quantity(price: Row, found: Amount, length: Fraction) -> bool:
    """Whether the price is for each GB, minute, …, of which nobody says how many there are.

    A unit of time must be the period itself: 240 a year, charged monthly, is one or the other.
    """
    unit = price.get("unitOfMeasure")
    if is_absent(unit):
        return False
    word = folded(unit) or identifier(unit)
    return word not in (*_COUNTED_ONCE, found.currency.casefold()) and months(unit) != length
