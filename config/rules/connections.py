"""What must hold within one connection: its vendor, URLs, headers and limits."""

import re
from collections.abc import Iterator, Mapping

from config.addresses import is_loopback, split_url
from config.rules.case import Case, ConnectionRule, Finding
from config.shape import nearest
from config.units import format_duration

APIS = ("product_inventory", "account", "customer", "customer_bill", "trouble_ticket")
_TO_A_VENDOR = ("base_url", "apis", "insecure", "tls", "oauth2", "headers", "tmf")
_UNUSED: Mapping[str, tuple[str, ...]] = {
    "http": ("database",),
    "database": _TO_A_VENDOR,
    "none": (*_TO_A_VENDOR, "database", "guard"),
}
_OWN_HEADERS = {
    *("authorization", "cookie", "proxy-authorization", "traceparent", "tracestate", "host"),
    *("connection", "content-length", "te", "transfer-encoding", "upgrade"),
}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _vendor_is_known(case: Case) -> Iterator[Finding]:
    if case.reach is None:
        meant = nearest(case.connection.vendor, case.vendors)
        question = f"; did you mean {meant}?" if meant else ""
        yield Finding(
            case.at("vendor"),
            "is not a vendor that this sidecar has an adapter for",
            f"one of {', '.join(sorted(case.vendors))}{question}",
        )


def _vendor_has_urls(case: Case) -> Iterator[Finding]:
    connection = case.connection
    if case.reach == "http" and connection.base_url is None:
        lacking = [api for api in APIS if api not in connection.apis]
        if lacking:
            yield Finding(
                case.at("base_url"),
                "is missing",
                f"base_url: https://…, or under apis also {', '.join(lacking)}",
                needs=(case.at("vendor"), case.at("apis"), *(case.at("apis", a) for a in APIS)),
            )


def _urls_are_urls(case: Case) -> Iterator[Finding]:
    for place, url in case.urls():
        parts = split_url(url)
        if parts is None:
            yield Finding(place, "is not a URL of a server", "https://host/path")
        elif "@" in parts.netloc:
            yield Finding(place, "carries a user or password", "the URL without them")
        elif parts.query or parts.fragment:
            yield Finding(place, "has a query or fragment", "the URL up to its path")


def _urls_are_https(case: Case) -> Iterator[Finding]:
    for place, url in case.urls():
        parts = split_url(url)
        if parts and parts.scheme == "http" and not case.connection.insecure:
            local = is_loopback(parts.hostname or "")
            way_out = "https://…, or insecure: true beside it" if local else "https://…"
            yield Finding(place, "is not https", way_out, needs=(case.at("insecure"),))


def _insecure_is_loopback(case: Case) -> Iterator[Finding]:
    if not case.connection.insecure:
        return
    for place, url in case.urls():
        parts = split_url(url)
        if parts and not is_loopback(parts.hostname or ""):
            yield Finding(
                case.at("insecure"),
                f"is for loopback addresses only, and {place[-1]} leads elsewhere",
                "insecure: false, with https and tls or oauth2",
                needs=(place,),
            )
            return
    if case.connection.wire.egress_proxy is not None:
        yield Finding(
            case.at("insecure"),
            "is for loopback addresses only, and wire.egress_proxy leads elsewhere",
            "insecure: false, or no egress_proxy",
        )


def _headers_are_headers(case: Case) -> Iterator[Finding]:
    for name in case.connection.headers:
        place = case.at("headers", name)
        if not _HEADER_NAME.fullmatch(name):
            yield Finding(place, "is not a header name", "letters, digits and hyphens")
        elif name.casefold() in _OWN_HEADERS:
            yield Finding(place, "is a header that the sidecar writes itself", "nothing")


def _wire_is_sane(case: Case) -> Iterator[Finding]:
    wire, at = case.connection.wire, case.at("wire")
    chosen = "connect_timeout" in wire.model_fields_set
    if chosen and wire.connect_timeout > wire.exchange_timeout:
        yield Finding(
            (*at, "connect_timeout"),
            "is longer than the exchange that it is a part of",
            f"at most exchange_timeout, {format_duration(wire.exchange_timeout)}",
            needs=((*at, "exchange_timeout"),),
        )
    if "warm_connections" in wire.model_fields_set and wire.warm_connections > wire.concurrency:
        yield Finding(
            (*at, "warm_connections"),
            "is more than may ever be in use",
            f"at most concurrency, {wire.concurrency}",
            needs=((*at, "concurrency"),),
        )
    proxy = split_url(wire.egress_proxy) if wire.egress_proxy is not None else None
    if wire.egress_proxy is not None and (proxy is None or proxy.path.strip("/") or proxy.query):
        yield Finding((*at, "egress_proxy"), "is not the URL of a proxy", "http://host:port")
    elif proxy is not None and proxy.scheme == "https":
        # The TLS of the proxy's hop would be the vendor's: our client certificate with it.
        yield Finding(
            (*at, "egress_proxy"),
            "would be shown the client certificate that is meant for the vendor",
            "http://host:port; what passes through is TLS from here to the vendor all the same",
        )


def _nothing_is_idle(case: Case) -> Iterator[Finding]:
    for name in _UNUSED.get(case.reach or "", ()):
        if name in case.connection.model_fields_set:
            what = f"is not used by {case.connection.vendor}"
            yield Finding(case.at(name), what, "nothing", serious=False)


CONNECTION_RULES: tuple[ConnectionRule, ...] = (
    _vendor_is_known,
    _vendor_has_urls,
    _urls_are_urls,
    _urls_are_https,
    _insecure_is_loopback,
    _headers_are_headers,
    _wire_is_sane,
    _nothing_is_idle,
)
