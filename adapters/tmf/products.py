"""From all product rows of one customer (TMF637, v4 and v5) to what they say of its billing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Literal

from adapters.outcome import Billing
from adapters.tmf.billing import Known, Part, billing_from
from adapters.tmf.bundles import Product, products_of
from adapters.tmf.charges import Charge, PriceRules, Verdict
from adapters.tmf.fields import entries, folded, instant, is_absent, one, reference_id, text
from adapters.tmf.prices import currency_of, monthly_charge

OFFICIAL_STATUSES = frozenset(
    (
        *("created", "pendingactive", "active", "suspended"),
        *("pendingterminate", "terminated", "cancelled", "aborted"),
    )
)
"""`ProductStatusType` of v4 and v5, case-folded; the official list itself has "aborted "."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRules:
    """Which products of a connection are charged, and how their prices are read."""

    charged_statuses: tuple[str, ...] = ("active", "pendingTerminate", "suspended")
    """As long as only official words are listed, a word that is not official is undecidable.
    A list with a vendor's own codes is complete: whatever it does not have is not charged."""
    missing_price: Literal["unknown", "nothing"] = "unknown"
    """What a product is that shows no price at all beside others that do. `unknown`: the customer
    has no fee; `nothing`: the vendor lists products that are included in another's price."""
    prices: PriceRules = field(default_factory=PriceRules)


class Pricing(Enum):
    """What the rows of a customer say of its fee."""

    PRICED = "priced"
    NO_PRICE = "no price"  # no recurring amount anywhere: a fallback may be asked
    UNDECIDABLE = "undecidable"  # there are prices, and they can't be summed: no fallback


@dataclass(frozen=True, slots=True)
class Reading:
    """What the product rows of one customer say. What few ask for is worked out when they do."""

    billing: Billing
    pricing: Pricing
    _portfolio: "_Portfolio" = field(repr=False)

    @property
    def known(self) -> Known:
        """Account, plan and currency as far as they are known without a fee."""
        return self._portfolio.known()

    @property
    def plans(self) -> dict[str, str]:
        """Plan name of each charged product, by the vendor's product id."""
        return self._portfolio.plans()

    @property
    def ended(self) -> frozenset[str]:
        """Vendor's ids of the products that are no longer, or not yet, charged."""
        return self._portfolio.ended()

    @property
    def charged(self) -> frozenset[str]:
        """Vendor's ids of the products that are charged, and of what they hold."""
        return self._portfolio.charged_ids()

    @property
    def unpriced(self) -> tuple[frozenset[str], ...]:
        """Those of each family of them of which no amount is known."""
        return tuple(self._portfolio.unpriced())


def read_products(
    rows: Sequence[object],
    rules: ProductRules,
    now: datetime,
    *,
    connection: str,
    accounts: Sequence[str] = (),
) -> Reading:
    """What all product rows of one customer say of its billing at `now`.

    `accounts` are the customer's accounts as the vendor lists them elsewhere (TMF666, TMF629);
    the only one stands in where no product names one. Nothing in the rows makes this raise.
    """
    products = products_of(rows)
    holdings = [_Holding(product, rules, now) for product in products or ()]
    portfolio = _Portfolio(holdings, rules, connection=connection, accounts=accounts)
    if products is None:
        return Reading(portfolio.known().without_fee(), Pricing.UNDECIDABLE, portfolio)
    return portfolio.reading()


class _Standing(Enum):
    CHARGED = "charged"
    NOT_CHARGED = "not charged"
    UNKNOWN = "unknown"


class _Holding:
    """A product of the customer, and what its own prices come to."""

    def __init__(self, product: Product, rules: ProductRules, now: datetime) -> None:
        self.product = product
        self.standing = _standing(product, rules, now)
        listed = entries(product.row.get("productPrice"))
        self.prices: Sequence[object] = (None,) if listed is None else listed
        self.found = [monthly_charge(price, rules.prices, now) for price in self.prices]
        self.plan_name = _plan_name(product)

    @property
    def is_charged(self) -> bool:
        return self.standing is _Standing.CHARGED

    @property
    def is_undecidable(self) -> bool:
        if self.standing is _Standing.NOT_CHARGED:
            return False
        if self.standing is _Standing.UNKNOWN:
            return any(found is not Verdict.NOTHING for found in self.found)
        return self.product.is_garbled or Verdict.UNDECIDABLE in self.found

    @property
    def has_price(self) -> bool:
        """Whether it has a recurring price of its own; a discount alone is none."""
        return any(
            not found.is_discount if isinstance(found, Charge) else found is not Verdict.NOTHING
            for found in self.found
        )

    def account(self) -> str | None:
        """The billing account of the product, else of the nearest bundle that names one."""
        if own := reference_id(self.product.row.get("billingAccount")):
            return own
        named = (reference_id(one.row.get("billingAccount")) for one in self.product.above())
        return next((account for account in named if account), None)


class _Portfolio:
    """All that one customer has."""

    def __init__(
        self,
        holdings: Sequence[_Holding],
        rules: ProductRules,
        *,
        connection: str,
        accounts: Sequence[str],
    ) -> None:
        self._connection = connection
        self._accounts = accounts
        self._rules = rules
        self._holdings = holdings
        self._charged = {one.product: one for one in holdings if one.is_charged}
        self._around = {
            one: [self._charged[outer] for outer in one.product.above() if outer in self._charged]
            for one in self._charged.values()
            if one.product.bundles
        }
        """Of each that is charged and in a bundle, the charged ones around it, the nearest
        first."""

    def reading(self) -> Reading:
        if self._is_undecidable():
            return Reading(self.known().without_fee(), Pricing.UNDECIDABLE, self)
        counted = list(self._counted())
        parts = list(self._parts(counted))
        if parts and not self._lacks_a_price(parts, counted):
            billing = billing_from(parts, self._connection, self.known)
            priced = billing.monthly_fee is not None
            return Reading(billing, Pricing.PRICED if priced else Pricing.UNDECIDABLE, self)
        pricing = Pricing.UNDECIDABLE if parts else Pricing.NO_PRICE
        return Reading(self.known().without_fee(), pricing, self)

    def charged_ids(self) -> frozenset[str]:
        return frozenset[str]().union(*(_ids(one.product) for one in self._charged.values()))

    def _is_undecidable(self) -> bool:
        return any(holding.is_undecidable for holding in self._holdings)

    def _counted(self) -> Iterator[_Holding]:
        """Those whose prices count: a part's only when no bundle around it has a price."""
        for holding in self._charged.values():
            if not any(bundle.has_price for bundle in self._bundles_around(holding)):
                yield holding

    def _parts(self, counted: Sequence[_Holding]) -> Iterator[Part]:
        """The charges that are paid. What is in a bundle belongs to the bundle's plan."""
        for holding in counted:
            top = self._top(holding)
            account = holding.account()
            for charge in holding.found:
                if isinstance(charge, Charge):
                    yield Part(charge.paid_by(account), self._key(top), top.plan_name)

    def _lacks_a_price(self, parts: Sequence[Part], counted: Sequence[_Holding]) -> bool:
        """Whether something is charged of which no amount is known."""
        if all(part.charge.is_discount for part in parts):
            return True  # what they lower is not there
        if any(Verdict.MISSING in holding.found for holding in counted):
            return True
        if self._rules.missing_price != "unknown":
            return False
        families = {top.product for one in counted for top in self._tops(one)}
        priced = {
            top.product for one in self._charged.values() if one.prices for top in self._tops(one)
        }
        return families != priced

    def _tops(self, holding: _Holding) -> list[_Holding]:
        """The outermost charged bundles around it, or itself."""
        around = self._bundles_around(holding)
        return [one for one in around if not self._bundles_around(one)] or [holding]

    def _bundles_around(self, holding: _Holding) -> Sequence[_Holding]:
        return self._around.get(holding, ())

    def _top(self, holding: _Holding) -> _Holding:
        """The one of them whose plan it is part of."""
        tops = self._tops(holding)
        return tops[0] if len(tops) == 1 else min(tops, key=self._key)

    def _key(self, holding: _Holding) -> str:
        return holding.product.id or f"#{self._holdings.index(holding)}"

    def known(self) -> Known:
        charged = self._charged.values()
        named = _distinct(holding.account() for holding in charged)
        tops = {self._top(holding).product: self._top(holding) for holding in charged}
        seen = _distinct(
            currency_of(price, self._rules.prices) for one in charged for price in one.prices
        )
        return Known(
            connection=self._connection,
            account=_only(named or self._accounts),
            plan_name=_only([top.plan_name for top in tops.values()]),
            currency=_only(seen),
        )

    def plans(self) -> dict[str, str]:
        return {
            holding.product.id: name
            for holding in self._charged.values()
            if holding.product.id and (name := self._top(holding).plan_name)
        }

    def unpriced(self) -> Iterator[frozenset[str]]:
        families: defaultdict[Product, list[_Holding]] = defaultdict(list)
        for holding in self._charged.values():
            for top in self._tops(holding):
                families[top.product].append(holding)
        for family in families.values():
            found = [verdict for holding in family for verdict in holding.found]
            shows_no_price = not found and self._rules.missing_price == "unknown"
            if shows_no_price or Verdict.MISSING in found:
                yield frozenset[str]().union(*(_ids(holding.product) for holding in family))

    def ended(self) -> frozenset[str]:
        ended = (one for one in self._holdings if one.standing is _Standing.NOT_CHARGED)
        return frozenset(one.product.id for one in ended if one.product.id)


def _standing(product: Product, rules: ProductRules, now: datetime) -> _Standing:
    """Whether a product is charged now: by its status, else its bundle's, and by its dates."""
    if product.is_wavering:
        return _Standing.UNKNOWN
    status = folded(product.row.get("status"))
    if status is None:
        words_around = (folded(one.row.get("status")) for one in product.above())
        status = next((word for word in words_around if word), None)
    charged = words(rules.charged_statuses)
    if status not in charged:
        is_known = status is not None and (
            status in OFFICIAL_STATUSES or not charged <= OFFICIAL_STATUSES
        )
        return _Standing.NOT_CHARGED if is_known else _Standing.UNKNOWN
    ends, starts = product.row.get("terminationDate"), instant(product.row.get("startDate"))
    ended = instant(ends) if ends else None
    if (ended and ended <= now) or (starts and starts > now):
        return _Standing.NOT_CHARGED
    return _Standing.CHARGED if ended or is_absent(ends) else _Standing.UNKNOWN


@lru_cache(maxsize=64)  # of few connections, and asked for with every product
def words(statuses: tuple[str, ...]) -> frozenset[str]:
    """Words of a connection's settings, for comparison."""
    return frozenset(word.strip().casefold() for word in statuses)


def _ids(product: Product) -> frozenset[str]:
    return frozenset(product.part_ids | ({product.id} if product.id else set()))


def _plan_name(product: Product) -> str | None:
    offering = one(product.row.get("productOffering"))
    return (text(offering.get("name")) if offering else None) or text(product.row.get("name"))


def _distinct(values: Iterable[str | None]) -> list[str]:
    return [value for value in dict.fromkeys(values) if value is not None]


def _only(values: Sequence[str | None]) -> str | None:
    """The value of which there is just one."""
    return values[0] if len(values) == 1 else None
