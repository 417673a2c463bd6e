"""A vendor in a dictionary, for the TM Forum part: rows, filters, pages, and bad manners."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import unquote
from uuid import NAMESPACE_URL, UUID, uuid5

from adapters.call import Call
from adapters.exchange import ScriptedExchange, VendorReply, VendorRequest
from adapters.identity import VendorIds
from adapters.lookup import LookUp, collect
from adapters.outcome import Lookup
from adapters.ports import Ports
from adapters.tmf.adapter import TmfAdapter
from adapters.tmf.profile import Profile

T = TypeVar("T")
Row = dict[str, Any]

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NO_SUCH = {"code": "60", "reason": "no such resource"}


def pedkai_id(vendor_id: str) -> UUID:
    return uuid5(NAMESPACE_URL, vendor_id)


def call() -> Call:
    return Call(deadline=asyncio.get_running_loop().time() + 5, asked_at=NOW)


def reply(body: Any, status: int = 200, **headers: str) -> VendorReply:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return VendorReply(status, names, body)


def party(party_id: Any, role: str | None = "customer", *, version: str = "v4") -> Row:
    named: Row = {} if role is None else {"role": role}
    if version == "v4":
        return {"id": party_id, **named}
    return {"@type": "RelatedPartyOrPartyRole", "partyOrPartyRole": {"id": party_id}, **named}


def product(
    owner: Any, fee: str | None = "20.00", *, product_id: str = "", version: str = "v4", **more: Any
) -> Row:
    """A product with one recurring monthly price in GBP. `owner=None` names nobody."""
    price = {
        "priceType": "recurring",
        "recurringChargePeriod": "month",
        "price": {
            "dutyFreeAmount": {"unit": "GBP", "value": None if fee is None else Decimal(fee)}
        },
    }
    parties = {} if owner is None else {"relatedParty": [party(owner, version=version)]}
    return {
        "id": product_id or f"product of {owner}",
        "status": "active",
        "productOffering": {"name": f"Plan of {owner}"},
        "productPrice": [price] if fee is not None else [],
        **parties,
        **more,
    }


def account(account_id: Any, owner: str, role: str | None = "owner", **more: Any) -> Row:
    return {"id": account_id, "relatedParty": [party(owner, role)], **more}


def ticket(owner: str | None, *, opened: Any = NOW - timedelta(days=3), **more: Any) -> Row:
    """An active dispute, opened three days ago."""
    written = opened.isoformat() if isinstance(opened, datetime) else opened
    return {
        "id": f"ticket of {owner}",
        "ticketType": "Bill Dispute",
        "status": "inProgress",
        "creationDate": written,
        **({} if owner is None else {"relatedParty": [party(owner)]}),
        **more,
    }


@dataclass(kw_only=True)
class Pretend:
    """Answers GETs of `rows[collection]`. Its manners are those of a vendor, not of a mock."""

    rows: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    ignores_filters: bool = False
    separator: str = ""
    """What tells several values of one filter apart: `,` or `;`; a repeated name always does."""
    page_cap: int = 1000
    counts: bool = True
    links: bool = False
    ends_with_416: bool = False
    ignores_paging: bool = False
    overrides: Callable[[VendorRequest], VendorReply | None] = lambda _request: None

    def __call__(self, request: VendorRequest) -> VendorReply:
        special = self.overrides(request)
        if special is not None:
            return special
        if "/" in request.path:
            return self._by_id(request)
        found = [row for row in self.rows.get(request.path, ()) if self._matches(row, request)]
        return self._page(request, found)

    def _by_id(self, request: VendorRequest) -> VendorReply:
        collection, _, row_id = request.path.partition("/")
        for row in self.rows.get(collection, ()):
            if row["id"] == unquote(row_id):
                return reply(row)
        return reply(NO_SUCH, 404)

    def _matches(self, row: Any, request: VendorRequest) -> bool:
        if self.ignores_filters or not isinstance(row, dict):
            return True
        names = {name for name, _ in request.query} - {"offset", "limit"}
        return all(self._values(request, name) & set(_at(row, name.split("."))) for name in names)

    def _values(self, request: VendorRequest, name: str) -> set[str]:
        values = [value for key, value in request.query if key == name]
        if self.separator:
            return {part for value in values for part in value.split(self.separator)}
        return set(values)

    def _page(self, request: VendorRequest, found: Sequence[Any]) -> VendorReply:
        query = dict(request.query)
        offset, limit = int(query["offset"]), min(int(query["limit"]), self.page_cap)
        if self.ignores_paging:
            offset, limit = 0, self.page_cap
        if self.ends_with_416 and offset and offset >= len(found):
            return reply(None, 416)
        page, rest = list(found[offset : offset + limit]), len(found) - offset - limit
        headers = {"x_total_count": str(len(found))} if self.counts else {}
        if self.links and rest > 0:
            others = "&".join(f"{k}={v}" for k, v in request.query if k not in ("offset", "limit"))
            target = f"{request.path}?{others}&offset={offset + limit}&limit={limit}"
            headers["link"] = f'<{target}>; rel="next"'
        return reply(page, 206 if rest > 0 else 200, **headers)


def _at(value: Any, path: Sequence[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _at(one, path)
    elif not path:
        yield str(value)
    elif isinstance(value, dict):
        yield from _at(value.get(path[0]), path[1:])


class Mapped:
    """An identity map of exactly these vendor ids."""

    def __init__(self, known: Mapping[UUID, str], unavailable: Sequence[UUID] = ()) -> None:
        self.ids = VendorIds(known, frozenset(unavailable))
        self.calls = 0

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> VendorIds:
        self.calls += 1
        return self.ids

    def forget(self, customer_id: UUID) -> None:
        """Nothing is remembered."""


class Asked:
    """An adapter over a pretend vendor, asked by the vendor's ids."""

    def __init__(
        self,
        vendor: Callable[[VendorRequest], Any],
        profile: Profile | None = None,
        *,
        make: Callable[[Ports], TmfAdapter] | None = None,
        **settings: object,
    ) -> None:
        self.exchange = ScriptedExchange(vendor)
        self._make = make or (lambda ports: TmfAdapter(ports, profile or Profile()))
        self._settings = settings

    def adapter(self, *vendor_ids: str) -> TmfAdapter:
        known = {pedkai_id(vendor_id): vendor_id for vendor_id in vendor_ids}
        ports = Ports(
            tenant="tenant",
            connection="connection",
            identity=Mapped(known),
            exchange=self.exchange,
            tmf=self._settings,
        )
        return self._make(ports)

    async def billing(self, *vendor_ids: str) -> list[Any]:
        return await _all(self.adapter(*vendor_ids).look_up_billing, vendor_ids)

    async def disputes(self, *vendor_ids: str) -> list[Any]:
        return await _all(self.adapter(*vendor_ids).look_up_disputes, vendor_ids)

    def asked(self, collection: str) -> list[VendorRequest]:
        return [one for one in self.exchange.requests if one.path.split("/")[0] == collection]


async def _all(look_up: LookUp[T], vendor_ids: Sequence[str]) -> list[Lookup[T]]:
    """One lookup for each id, in order. An error that is neither ours nor expected is raised."""

    def surprised(error: Exception) -> None:
        raise error

    lookups = await collect(
        look_up, [pedkai_id(one) for one in vendor_ids], call(), on_error=surprised
    )
    return [lookups[pedkai_id(one)] for one in vendor_ids]


def fee(lookup: Any) -> Decimal | None:
    """The fee of a customer who was found."""
    monthly_fee: Decimal | None = lookup.value.monthly_fee
    return monthly_fee
