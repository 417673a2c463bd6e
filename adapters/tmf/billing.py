"""From the charges of one customer to its `Billing`: fee, account, plan."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
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


def billing_from(parts: Sequence[Part], connection: str, known: Callable[[], Known]) -> Billing:
    """The billing of a customer whose charges are all known.

    The account is the one that carries the largest part, the plan the product with the largest
    fee; of equals, the first by name. Without charges, or with two currencies, there is no fee.

    `known` is asked only for what the charges do not say.
    """
    fee = customer_fee(totals(part.charge for part in parts))
    if fee is None:
        return known().without_fee()
    accounts = [(p.charge.account, p.charge.amount) for p in parts if p.charge.account]
    plans = [((p.plan_name or "", p.product), p.charge.amount) for p in parts]
    plan_name, _ = _largest(plans)
    account = _largest(accounts) if accounts else known().account
    return Billing(
        account_id=account_uuid(connection, account) if account else None,
        plan_name=plan_name or known().plan_name,
        monthly_fee=fee.amount,
        currency=fee.currency,
    )


def totals(charges: Iterable[Charge]) -> list[Money]:
    """The sum of the charges in each currency.

    Summed as fractions: three charges of a third of a penny are a penny. As a decimal the sum is
    cut at 60 digits, far behind any digit that could turn the one rounding of the fee.
    """
    sums = _summed((charge.currency, charge.amount) for charge in charges)
    return [
        Money(EXACT.divide(Decimal(total.numerator), total.denominator), currency)
        for currency, total in sums.items()
    ]


def _largest(weighed: Iterable[tuple[_Key, Fraction]]) -> _Key:
    """The key with the largest sum; of equals, the first in their own order."""
    sums = _summed(weighed)
    if len(sums) == 1:
        return next(iter(sums))
    return min(sums, key=lambda key: (-sums[key], key))


def _summed(weighed: Iterable[tuple[_Key, Fraction]]) -> dict[_Key, Fraction]:
    sums: dict[_Key, Fraction] = {}
    for key, weight in weighed:
        so_far = sums.get(key)
        sums[key] = weight if so_far is None else so_far + weight
    return sums
