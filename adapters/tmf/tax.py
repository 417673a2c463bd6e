"""Amounts of money in the one tax basis of a connection."""

from dataclasses import dataclass, field
from fractions import Fraction

from adapters.currency import currency_code
from adapters.tmf.charges import PriceRules, Verdict
from adapters.tmf.fields import Row, is_absent, one
from adapters.tmf.numbers import amount


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money for the period of its price."""

    value: Fraction = field(repr=False)
    currency: str = field(repr=False)


def in_basis(
    rules: PriceRules, *, excluded: object, included: object, tax_rate: object
) -> Amount | Verdict:
    """The amount in the basis of `rules`, derived with `tax_rate` where only the other is there.

    `excluded` and `included` are TM Forum `Money`: `{"unit": …, "value": …}`.
    """
    with_tax = rules.tax_basis == "included"
    wanted, other = (included, excluded) if with_tax else (excluded, included)
    known = _money(wanted)
    if known is not Verdict.MISSING:
        return known
    known = _money(other)
    if isinstance(known, Verdict) or known.value == 0:
        return known
    factor = _tax_factor(tax_rate, rules)
    if factor is None:
        return Verdict.UNDECIDABLE
    value = known.value * factor if with_tax else known.value / factor
    return Amount(value, known.currency)


def price_amount(price: Row, rules: PriceRules, *, tax_rate: object = None) -> Amount | Verdict:
    """The amount of a TMF637 `Price`; `tax_rate` stands in where the price has none of its own."""
    own_rate = price.get("taxRate")
    return in_basis(
        rules,
        excluded=price.get("dutyFreeAmount"),
        included=price.get("taxIncludedAmount"),
        tax_rate=tax_rate if is_absent(own_rate) else own_rate,
    )


def _money(value: object) -> Amount | Verdict:
    if is_absent(value):
        return Verdict.MISSING
    money = one(value)
    if money is None:
        return Verdict.UNDECIDABLE
    if is_absent(money.get("value")):
        return Verdict.MISSING
    number, currency = amount(money["value"]), currency_code(money.get("unit"))
    if number is None or currency is None:
        return Verdict.UNDECIDABLE
    return Amount(Fraction(*number.as_integer_ratio()), currency)


def _tax_factor(tax_rate: object, rules: PriceRules) -> Fraction | None:
    """1.2 for 20 %. No tax is above 100 %: such a rate is on another scale than was configured."""
    rate = amount(tax_rate)
    if rate is None:
        return None
    share = Fraction(rate) / (100 if rules.tax_rate_scale == "percent" else 1)
    return 1 + share if 0 <= share <= 1 else None
