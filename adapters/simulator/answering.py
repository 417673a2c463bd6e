"""What a vendor answers to a GET of its data: pure, from a question to a reply.

Filters are those of TMF630, as far as the vendor knows them; paging is `offset` and `limit`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import unquote, urlencode

from adapters.simulator.encoding import encode, fold
from adapters.simulator.reply import WRONG_PATH, Reply, as_json
from adapters.simulator.shapes import Manners, Resource, error_body, party_filter, paths
from adapters.simulator.vendor_data import Collection, VendorData

Query: TypeAlias = Sequence[tuple[str, str]]

PAGING = ("offset", "limit", "fields")
_BY_ID: tuple[Resource, ...] = (
    "product",
    "billingAccount",
    "customer",
    "customerBill",
    "troubleTicket",
)
_SEPARATORS = {"comma": ",", "semicolon": ";"}


@dataclass(frozen=True, slots=True)
class Question:
    """One GET, once its token was accepted."""

    path: str = field(repr=False)
    """From the root, still percent-encoded."""
    query: Query = field(default=(), repr=False)
    """Decoded names and values, in order."""
    unfiltered: bool = False
    """The vendor forgets all of its filters, and what it needs of them."""
    origin: str = ""
    """How the caller reached the vendor: `https://127.0.0.1:9441`."""


class BadQuestion(Exception):  # noqa: N818  (the caller's fault, told by 400)
    """A parameter that is missing or not readable."""


@dataclass(frozen=True, slots=True)
class _Window:
    offset: int
    size: int


class Answerer:
    """One vendor's data and manners."""

    def __init__(self, data: VendorData, manners: Manners) -> None:
        self.data = data
        self.manners = manners
        self._paths = paths(data.shape, data.version)
        self._select = lru_cache(maxsize=20_000)(self._selected)

    def resource_at(self, path: str) -> Resource | None:
        """What a path is about, be it the whole collection or one row of it."""
        return self._paths.get(path) or self._paths.get(path.rpartition("/")[0])

    def answer(self, question: Question) -> Reply:
        resource = self._paths.get(question.path)
        if resource is not None:
            try:
                return self._list(resource, question)
            except BadQuestion as bad:
                return self.error(400, str(bad))
        above, _, row_id = question.path.rpartition("/")
        resource = self._paths.get(above)
        if resource not in _BY_ID or not row_id:
            return WRONG_PATH
        collection = self.data.collections[resource]
        number = collection.by_id.get(unquote(row_id))
        if number is None:
            return self.error(404, f"No {resource} with this id")
        return as_json(200, collection.encoded[number])

    def error(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> Reply:
        """An error in this vendor's own words."""
        body = error_body(self.data.shape, self.data.version, status, reason)
        return as_json(status, body, headers)

    def _list(self, resource: Resource, question: Question) -> Reply:
        asked = _grouped(question.query)
        if not question.unfiltered:
            self._demand_what_a_facade_needs(resource, asked)
        limit = max(
            1, min(_number(asked, "limit", self.manners.page_size), self.manners.page_size_limit)
        )
        window = _Window(_number(asked, "offset", 0), limit)
        collection = self.data.collections[resource]
        found = self._matching(collection, asked)
        if window.offset and window.offset >= len(found) and self.manners.past_the_end == "416":
            return self.error(416, "The offset is past the end")
        shown = found[window.offset : window.offset + window.size]
        fields = asked.get("fields", [""])[0] if self.manners.supports_fields else ""
        encoded = collection.encoded
        rows = [self._select(resource, n, fields) if fields else encoded[n] for n in shown]
        headers = {"X-Total-Count": str(len(found)), "X-Result-Count": str(len(shown))}
        is_whole = window.offset + len(shown) >= len(found)
        if not is_whole and self.manners.next_link != "none":
            headers["Link"] = f'<{self._next_link(question, window)}>; rel="next"'
        status = 200 if is_whole else self.manners.partial_status
        return as_json(status, b"[" + b",".join(rows) + b"]", headers)

    def _demand_what_a_facade_needs(
        self, resource: Resource, asked: Mapping[str, Sequence[str]]
    ) -> None:
        """CSG's product inventory takes three filters together, or none of the question."""
        if self.data.shape != "csg" or resource != "product":
            return
        needed = (party_filter(self.data.version), "billingAccount.id", "status")
        missing = [name for name in needed if not any(asked.get(name, ()))]
        if missing:
            raise BadQuestion(f"Missing parameter: {', '.join(missing)}")

    def _matching(
        self, collection: Collection, asked: Mapping[str, Sequence[str]]
    ) -> Sequence[int]:
        """Numbers of the rows that all filters let through; unknown filters let everything."""
        sets = [
            frozenset[int]().union(
                *(index.get(fold(value), frozenset()) for value in self._values(asked[name]))
            )
            for name, index in collection.filters.items()
            if name in asked
        ]
        if not sets:
            return range(len(collection.rows))
        smallest = min(sets, key=len)
        return sorted(smallest.intersection(*sets))

    def _values(self, told: Sequence[str]) -> Iterable[str]:
        """The values that this vendor reads from what it was told for one filter."""
        if self.manners.or_style == "repeat":
            return told
        separator = _SEPARATORS.get(self.manners.or_style)
        return told[0].split(separator) if separator else told[:1]

    def _next_link(self, question: Question, window: _Window) -> str:
        kept = [pair for pair in question.query if pair[0] not in ("offset", "limit")]
        paging = [("offset", str(window.offset + window.size)), ("limit", str(window.size))]
        target = f"{question.path}?{urlencode(kept + paging)}"
        return question.origin + target if self.manners.next_link == "absolute" else target

    def _selected(self, resource: Resource, number: int, fields: str) -> bytes:
        """One row, cut down to some of its fields; `id` and `href` always stay (TMF630)."""
        wanted = {"id", "href", *fields.split(",")}
        row = self.data.collections[resource].rows[number]
        return encode({name: value for name, value in row.items() if name in wanted})


def _grouped(query: Query) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in query:
        grouped.setdefault(name, []).append(value)
    return grouped


def _number(asked: Mapping[str, Sequence[str]], name: str, default: int) -> int:
    told = asked.get(name, [str(default)])[0]
    if not told.isdecimal():
        raise BadQuestion(f"{name} is a whole number")
    return int(told)
