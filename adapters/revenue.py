"""From lookups to the contract: the rules of the answer, as pure functions, in Decimal.

Source: contract 2.1 to 2.3 and section 4 (degradation). One function, `customer_fee`, makes the
fee that a billing account shows and the fee that a batch adds, so the two cannot differ.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation, localcontext
from uuid import UUID

from adapters.bss_adapter import BillingAccountInfo, RevenueResult
from adapters.currency import minor_unit
from adapters.outcome import Billing, Dispute, Found, Lookup, LookupFailed, Missing, Unavailable

EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
"""Wide enough that no sum of bounded amounts is ever rounded on the way."""
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount a month, not yet rounded, and its ISO 4217 currency."""

    amount: Decimal = field(repr=False)
    currency: str = field(repr=False)


def customer_fee(charges: Iterable[Money]) -> Money | None:
    """The monthly fee of one customer: the sum of its recurring charges, rounded once, half-even.

    `None` when there is no charge, when there are two currencies, which are never added, or when
    an amount is no number that money can be. Discounts may outweigh charges; a fee never goes
    below zero.
    """
    charges = list(charges)
    currencies = {charge.currency for charge in charges}
    if len(currencies) != 1:
        return None
    (currency,) = currencies
    try:
        total = charges[0].amount
        for charge in charges[1:]:
            total = EXACT.add(total, charge.amount)
        fee = EXACT.quantize(max(_NOTHING, total), minor_unit(currency))
    except InvalidOperation:
        return None
    if not total.is_finite():
        return None
    return Money(fee, currency)


def revenue_result(
    lookups: Iterable[Lookup[Billing]], *, source: str, is_estimate: bool, reporting_currency: str
) -> RevenueResult:
    """The aggregate over one lookup for each distinct customer asked.

    Priced: found, with a fee in the reporting currency. Unpriced: everybody else. An aggregate
    that is not all live is an estimate.
    """
    fees: list[Decimal] = []
    asked, is_live = 0, True
    for asked, lookup in enumerate(lookups, 1):  # noqa: B007  (how many there were, at the end)
        if isinstance(lookup, Unavailable):
            is_live = False
            continue
        if lookup.stale:
            is_live = False
        if isinstance(lookup, Found) and lookup.value.currency == reporting_currency:
            fee = lookup.value.monthly_fee
            if fee is not None:
                fees.append(fee)
    unpriced = asked - len(fees)
    with localcontext(EXACT):
        total = float(sum(fees, Decimal(0))) if fees else None
    return RevenueResult(
        total_revenue_at_risk=total,
        is_estimate=is_estimate or not is_live,
        source=source,
        priced_customer_count=len(fees),
        unpriced_customer_count=unpriced,
        requires_manual_valuation=unpriced > 0,
    )


def billing_account(
    customer_id: UUID, lookup: Lookup[Billing], *, reporting_currency: str
) -> BillingAccountInfo | None:
    """What the contract shows of one customer, in the customer's own currency.

    `None` when the vendor says that there is no such customer. Raises `LookupFailed` when nobody
    could say. The reporting currency stands in where no currency is known.
    """
    if isinstance(lookup, Unavailable):
        raise LookupFailed(lookup.reason, retry_after_s=lookup.retry_after_s)
    if isinstance(lookup, Missing):
        return None
    billing = lookup.value
    return BillingAccountInfo(
        customer_id=customer_id,
        account_id=billing.account_id,
        plan_name=billing.plan_name,
        monthly_fee=None if billing.monthly_fee is None else float(billing.monthly_fee),
        currency=billing.currency or reporting_currency,
    )


def disputed(lookups: Mapping[UUID, Lookup[Dispute]]) -> list[UUID]:
    """Customers with an active dispute, in the order asked.

    A customer whom the vendor does not know has none. Raises `LookupFailed` when none of them
    could be asked, so that a dead vendor does not read as "no disputes".
    """
    if (failed := none_could_be_asked(lookups.values())) is not None:
        raise LookupFailed(failed.reason, retry_after_s=failed.retry_after_s)
    return [
        customer_id
        for customer_id, lookup in lookups.items()
        if isinstance(lookup, Found) and lookup.value.active
    ]


def none_could_be_asked(lookups: Iterable[Lookup[Dispute]]) -> Unavailable | None:
    """What stood in the way, when nothing was learned about anybody who could be asked about.

    A customer without a vendor's id is missing without a question, so it proves nobody alive.
    """
    lookups = list(lookups)
    if any(isinstance(one, Found) for one in lookups):
        return None
    return next((one for one in lookups if isinstance(one, Unavailable)), None)
