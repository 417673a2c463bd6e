"""The port through which an adapter talks to its vendor.

One exchange is one request and its reply. Sockets, credentials, retries, the breaker and the
caps on size and depth are on the other side of the port: an adapter says only what it wants to
know. `ScriptedExchange` is the double for tests; it is held to the same suite as the real wire.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import SplitResult, parse_qsl, urljoin, urlsplit

from adapters.call import Call


class Api(StrEnum):
    """The TM Forum APIs; a connection may give each a base URL of its own."""

    PRODUCT_INVENTORY = "product_inventory"  # TMF637
    ACCOUNT = "account"  # TMF666
    CUSTOMER = "customer"  # TMF629
    CUSTOMER_BILL = "customer_bill"  # TMF678
    TROUBLE_TICKET = "trouble_ticket"  # TMF621


Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class VendorReply:
    """A reply that came whole, within the caps, as JSON. Its body is personal data.

    Every number in `body` is a `Decimal`, NaN and infinities included, so that no money ever
    passes through a float, and one odd number costs a row and not the batch.
    `status` is 200, 204 (with `body` None), 206, 404 or 416. All others raise `LookupFailed`.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: Any = field(repr=False)


def accept(_reply: VendorReply) -> None:
    """Every reply will do."""


@dataclass(frozen=True, slots=True)
class VendorRequest:
    """A GET, relative to the connection's base URL of that API."""

    api: Api
    path: str = field(repr=False)
    """Below the API's base, without a leading slash: `product`, `customer/1234`. Each segment that
    comes from data is percent-encoded by the adapter (`urllib.parse.quote(id, safe="")`)."""
    query: Query = field(default=(), repr=False)
    """Decoded names and values, in order; a name may come twice."""
    verify: Callable[[VendorReply], None] = accept
    """Raises `LookupFailed` when the reply is a fault in disguise. It runs inside the guard, so
    that a 200 which carries an error counts against the vendor."""


class Exchange(Protocol):
    """One connection to one vendor."""

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        """The reply, or `LookupFailed`, at the latest at the end of the call's budget."""
        ...

    def within(self, request: VendorRequest, link: str) -> VendorRequest | None:
        """The request that a `next` link stands for, or `None` if it must not be followed.

        A link that leaves the scheme, host, port or path prefix of the API would carry our token
        away. Relative links are taken from the request's own URL.
        """
        ...


def follow_link(base_url: str, request: VendorRequest, link: str) -> VendorRequest | None:
    """`Exchange.within`, given the base URL of the request's API (which ends with a slash)."""
    base = urlsplit(base_url)
    try:
        target = urlsplit(urljoin(base_url + request.path, link.strip()))
        same_server = _server(target) == _server(base)
    except ValueError:
        return None
    segments = target.path.split("/")
    if not same_server or target.username or ".." in segments or "%2e" in target.path.lower():
        return None
    if not target.path.startswith(base.path):
        return None
    query = tuple(parse_qsl(target.query, keep_blank_values=True))
    return replace(request, path=target.path.removeprefix(base.path), query=query)


def _server(url: SplitResult) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: the one that a scheme implies is the same as that one written out."""
    return url.scheme, url.hostname, url.port or {"https": 443, "http": 80}.get(url.scheme)


class ScriptedExchange:
    """An exchange that answers from a function, and remembers what it was asked."""

    def __init__(
        self, answer: Callable[[VendorRequest], VendorReply | Awaitable[VendorReply]]
    ) -> None:
        self._answer = answer
        self.requests: list[VendorRequest] = []

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        self.requests.append(request)
        answer = self._answer(request)
        reply = answer if isinstance(answer, VendorReply) else await answer
        request.verify(reply)
        return reply

    def within(self, request: VendorRequest, link: str) -> VendorRequest | None:
        return follow_link("https://vendor.test/", request, link)
