"""From the charges of one customer to its `Billing`: fee, account, plan."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TypeVar
from uuid import UUID

from adapters.outcome import Billing
from adapters.revenue import EXACT, Money, customer_fee
from adapters.tmf.accounts import account_uuid
from adapters.tmf.charges import Charge

_Key = TypeVar("_Key", str, tuple[str, str])


@dataclass(frozen=True, slots=True)
class Part:
    """One charge of a customer, and what it is paid for."""

    charge: Charge
    """Its account is the one that pays it, whoever named it."""
    product: str = field(repr=False)
    """Tells products apart."""
    plan_name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a customer without its charges."""

    connection: str
    account: str | None = field(default=None, repr=False)
    plan_name: str | None = field(default=None, repr=False)
    currency: str | None = field(default=None, repr=False)

    def account_id(self, vendor_id: str | None) -> UUID | None:
        return account_uuid(self.connection, vendor_id) if vendor_id else None

    def without_fee(self) -> Billing:
        return Billing(
            account_id=self.account_id(self.account),
            plan_name=self.plan_name,
            currency=self.currency,
        )


def billing_from(parts: Sequence[Part], known: Known) -> Billing:
    """The billing of a customer whose charges are all known.

    The account is the one that carries the largest part, the plan the product with the largest
    fee; of equals, the first by name. Without charges, or with two currencies, there is no fee.
    """
    fee = customer_fee(totals(part.charge for part in parts))
    if fee is None:
        return known.without_fee()
    accounts = [(p.charge.account, p.charge.amount) for p in parts if p.charge.account]
    plans = [((p.plan_name or "", p.product), p.charge.amount) for p in parts]
    plan_name, _ = _largest(plans)
    return Billing(
        account_id=known.account_id(_largest(accounts) if accounts else known.account),
        plan_name=plan_name or known.plan_name,
        monthly_fee=fee.amount,
        currency=fee.currency,
    )


def totals(charges: Iterable[Charge]) -> list[Money]:
    """The sum of the charges in each currency.

    Summed as fractions: three charges of a third of a penny are a penny. As a decimal the sum is
    cut at 60 digits, far behind any digit that could turn the one rounding of the fee.
    """
    sums: dict[str, Fraction] = {}
    for charge in charges:
        sums[charge.currency] = sums.get(charge.currency, Fraction(0)) + charge.amount
    with localcontext(EXACT):
        return [
            Money(Decimal(total.numerator) / Decimal(total.denominator), currency)
            for currency, total in sums.items()
        ]


def _largest(weighed: Iterable[tuple[_Key, Fraction]]) -> _Key:
    """The key with the largest sum; of equals, the first in their own order."""
    sums: dict[_Key, Fraction] = {}
    for key, weight in weighed:
        sums[key] = sums.get(key, Fraction(0)) + weight
    return min(sums, key=lambda key: (-sums[key], key))
