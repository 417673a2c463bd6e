"""The whole of one vendor's data: rows for tests to compute with, and bytes for the wire.

Everything is deterministic: two processes that build the data of the same shape, version, tenant
and moment have the same rows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from adapters.simulator.accounts import accounts, customers
from adapters.simulator.bills import applied_rates, bills
from adapters.simulator.encoding import encode, fold
from adapters.simulator.population import CUSTOMERS, Shape
from adapters.simulator.products import products
from adapters.simulator.references import Row
from adapters.simulator.shapes import Holder, Resource, Version, party_filter
from adapters.simulator.tickets import tickets

Values: TypeAlias = Callable[[Row], Iterable[str]]
"""What a filter compares with: the values that a row has for it."""


@dataclass(frozen=True, slots=True)
class Collection:
    """The rows of one resource, with an index for each filter that the vendor knows."""

    rows: Sequence[Row] = field(repr=False)
    encoded: Sequence[bytes] = field(repr=False)
    by_id: Mapping[str, int] = field(repr=False)
    filters: Mapping[str, Mapping[str, frozenset[int]]] = field(repr=False)
    """Filter name → folded value → numbers of the rows that have it."""

    @classmethod
    def of(cls, rows: Sequence[Row], filters: Mapping[str, Values]) -> "Collection":
        return cls(
            rows=rows,
            encoded=[encode(row) for row in rows],
            by_id={row["id"]: number for number, row in enumerate(rows)},
            filters={name: _index(rows, values) for name, values in filters.items()},
        )


@dataclass(frozen=True, slots=True)
class VendorData:
    """The rows of every resource of one vendor, for one tenant."""

    shape: Shape
    version: Version
    tenant: str
    collections: Mapping[Resource, Collection] = field(repr=False)

    @classmethod
    def build(cls, shape: Shape, version: Version, *, tenant: str, now: datetime) -> "VendorData":
        """The data as they are at `now`; dates of tickets and bills are counted back from it."""
        rows: dict[Resource, list[Row]] = defaultdict(list)
        for n in range(CUSTOMERS):
            holder = Holder(shape, n)
            rows["product"] += products(tenant, holder, version)
            rows["billingAccount"] += accounts(holder, version)
            rows["customer"] += customers(holder, version)
            rows["appliedCustomerBillingRate"] += applied_rates(tenant, holder, version, now)
            rows["customerBill"] += bills(tenant, holder, version, now)
            rows["troubleTicket"] += tickets(holder, version, now)
        known = known_filters(shape, version)
        collections = {name: Collection.of(rows[name], known[name]) for name in known}
        return cls(shape, version, tenant, collections)

    def rows(self, resource: Resource) -> Sequence[Row]:
        """The raw rows, before any encoding: what the vendor knows."""
        return self.collections[resource].rows

    def rows_of(self, resource: Resource, n: int) -> list[Row]:
        """Rows that this vendor's own filter finds for customer `n`, others' rows among them."""
        holder = Holder(self.shape, n)
        name, ids = _asked_by(resource, holder, self.version)
        collection = self.collections[resource]
        index = collection.filters[name]
        found = frozenset[int]().union(*(index.get(fold(one), frozenset()) for one in ids))
        return [collection.rows[number] for number in sorted(found)]


def known_filters(shape: Shape, version: Version) -> dict[Resource, dict[str, Values]]:
    """The filters that this vendor knows. It ignores all others, and so returns everybody."""
    party: dict[str, Values] = {party_filter(version): _parties}
    account: dict[str, Values] = {"billingAccount.id": _account}
    product = {**party, **account, "status": _field("status")}
    entity_name = "relatedEntity.id" if version == "v4" else "relatedEntity.entity.id"
    ticket = {**party, entity_name: _entities, "status": _field("status")}
    if shape == "cerillion":
        product = {**account, "subStatus": _field("subStatus")}
        ticket = {entity_name: _entities, "relatedEntity.billingAccount.id": _entities}
    return {
        "product": product,
        "billingAccount": {**party, "id": _field("id")},
        "customer": {"engagedParty.id": _engaged, "id": _field("id")},
        "appliedCustomerBillingRate": {**account, "bill.id": _bill},
        "customerBill": {**account, **party, "state": _field("state")},
        "troubleTicket": ticket,
    }


def _asked_by(resource: Resource, holder: Holder, version: Version) -> tuple[str, tuple[str, ...]]:
    if resource == "customer":
        return "engagedParty.id", (holder.individual,)
    if resource == "appliedCustomerBillingRate":
        return "billingAccount.id", holder.accounts
    if holder.shape == "cerillion" and resource == "product":
        return "billingAccount.id", holder.accounts
    if holder.shape == "cerillion" and resource == "troubleTicket":
        return "relatedEntity.billingAccount.id", holder.accounts
    return party_filter(version), (holder.owner,)


def _index(rows: Iterable[Row], values: Values) -> dict[str, frozenset[int]]:
    index: dict[str, set[int]] = defaultdict(set)
    for number, row in enumerate(rows):
        for value in values(row):
            index[fold(value)].add(number)
    return {value: frozenset(numbers) for value, numbers in index.items()}


def _field(name: str) -> Values:
    return lambda row: [row[name]]


def _parties(row: Row) -> Iterable[str]:
    return [(one.get("partyOrPartyRole") or one)["id"] for one in row["relatedParty"]]


def _entities(row: Row) -> Iterable[str]:
    return [(one.get("entity") or one)["id"] for one in row["relatedEntity"]]


def _account(row: Row) -> Iterable[str]:
    return [row["billingAccount"]["id"]]


def _engaged(row: Row) -> Iterable[str]:
    return [row["engagedParty"]["id"]]


def _bill(row: Row) -> Iterable[str]:
    return [row["bill"]["id"]]
