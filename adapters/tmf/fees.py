"""What a customer is billed: from its products, else from what was billed before.

A customer without products leads to the question whether the vendor knows it at all.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Literal

from adapters.exchange import Query
from adapters.outcome import Billing, Found, Lookup, Missing, Unavailable
from adapters.tmf.applied_rates import with_applied_rates
from adapters.tmf.batching import any_of
from adapters.tmf.charges import PriceRules
from adapters.tmf.existence import exists
from adapters.tmf.fields import Row, folded
from adapters.tmf.inquiry import Filter, Inquiry
from adapters.tmf.ownership import Owned
from adapters.tmf.products import (
    OFFICIAL_STATUSES,
    Pricing,
    ProductRules,
    Reading,
    read_products,
    words,
)
from adapters.tmf.profile import Profile
from adapters.tmf.resources import APPLIED_RATE
from adapters.tmf.rows import id_of


@dataclass(frozen=True, slots=True)
class Further:
    """A billing that takes a further question. `ask` raises `LookupFailed` when nobody answers."""

    ask: Callable[[], Awaitable[Lookup[Billing]]] = field(repr=False)


def billing(
    inquiry: Inquiry, owned: Owned | Unavailable, *, connection: str
) -> Lookup[Billing] | Further:
    """The billing of the customer who owns these product rows."""
    if isinstance(owned, Unavailable):
        return owned
    if not owned.rows and not owned.is_doubtful:
        return Further(partial(_without_products, inquiry, owned))
    profile, now = inquiry.profile, inquiry.call.asked_at
    rules = product_rules(profile)
    has_own_field = profile.status_filter not in ("", "status")
    reading = read_products(
        [_with_status(row, profile) for row in owned.rows] if has_own_field else owned.rows,
        rules,
        now,
        connection=connection,
        accounts=owned.subject.accounts,
    )
    if owned.is_doubtful:
        return Found(reading.known.without_fee())
    if profile.fee_fallback == "none" or not _has_only_unpriced(reading, owned):
        return Found(reading.billing)
    return Further(partial(_as_billed, inquiry, owned, reading, rules.prices))


async def _without_products(inquiry: Inquiry, owned: Owned) -> Lookup[Billing]:
    return Found(Billing()) if await exists(inquiry, owned.subject) else Missing()


async def _as_billed(
    inquiry: Inquiry, owned: Owned, reading: Reading, rules: PriceRules
) -> Lookup[Billing]:
    """The fee from TMF678. Accounts that products name may be somebody else's who pays for them,
    and for more than that; so only accounts that are known to be the customer's are asked.
    """
    profile = inquiry.profile
    filters = Filter("account", profile.party_parameter, profile.account_filter)
    shares = await inquiry.owned(APPLIED_RATE, [owned.subject], filters)
    rates = shares[owned.subject.vendor_id]
    if isinstance(rates, Unavailable):
        return rates
    if rates.is_doubtful:
        return Found(reading.known.without_fee())
    return Found(with_applied_rates(reading, rates.rows, rules, inquiry.call.asked_at))


def _has_only_unpriced(reading: Reading, owned: Owned) -> bool:
    """Whether there is something that is charged, and no product carries a price."""
    is_charged = any(id_of(row) not in reading.ended for row in owned.rows)
    return reading.pricing is Pricing.NO_PRICE and is_charged


def product_rules(profile: Profile) -> ProductRules:
    return _rules(
        profile.charged_statuses, profile.missing_price, profile.tax_basis, profile.tax_rate_scale
    )


@lru_cache(maxsize=64)  # of few connections, and asked for with every customer
def _rules(
    charged_statuses: tuple[str, ...],
    missing_price: Literal["unknown", "nothing"],
    tax_basis: Literal["excluded", "included"],
    tax_rate_scale: Literal["percent", "fraction"],
) -> ProductRules:
    return ProductRules(
        charged_statuses=charged_statuses,
        missing_price=missing_price,
        prices=PriceRules(tax_basis=tax_basis, tax_rate_scale=tax_rate_scale),
    )


def product_filter(profile: Profile) -> Filter:
    """How products are asked for (TMF637)."""
    return Filter(
        profile.product_query,
        profile.party_parameter,
        profile.account_filter,
        _statuses(
            profile.status_filter,
            profile.status_values or profile.charged_statuses,
            profile.status_style,
        ),
    )


@lru_cache(maxsize=64)  # as the rules
def _statuses(
    name: str, values: tuple[str, ...], style: Literal["each", "repeat", "comma", "semicolon"]
) -> tuple[Query, ...]:
    if not name:
        return ((),)
    if style == "each":
        return tuple(((name, value),) for value in values)
    return (any_of(name, values, style),)


def _with_status(row: Row, profile: Profile) -> Row:
    """Where the vendor's filter looks for its own codes in a field of their own, that field decides
    when `status` has no word that is understood.
    """
    status = folded(row.get("status"))
    if status in OFFICIAL_STATUSES or status in words(profile.charged_statuses):
        return row
    return {**row, "status": row.get(profile.status_filter)}
