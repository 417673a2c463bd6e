"""Hosts and URLs: what is a loopback, and what makes a URL unfit for a vendor."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9.])?")
_LOOPBACKS = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_loopback(host: str) -> bool:
    """Only what is one by its own writing; a name that resolves to a loopback today is none."""
    addresses = addresses_of(host)
    return bool(addresses) and all(address.is_loopback for address in addresses)


def addresses_of(host: str) -> tuple[Address, ...]:
    """The addresses that a host stands for without asking anybody; a name stands for none."""
    if host.casefold() == "localhost":
        return _LOOPBACKS
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ()
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address,)


def is_host(text: str) -> bool:
    """A name or an address that a socket can be bound to or sent to."""
    return bool(addresses_of(text)) or bool(_HOST.fullmatch(text))


def bracketed(host: str) -> str:
    """A host as it stands before a port or in a URL (RFC 3986, section 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def hosts_clash(one: str, other: str) -> bool:
    """Whether two sockets on these hosts, at the same port, would meet."""
    if one.casefold() == other.casefold():
        return True
    pairs = [(a, b) for a in addresses_of(one) for b in addresses_of(other)]
    return any(
        a.version == b.version and (a == b or a.is_unspecified or b.is_unspecified)
        for a, b in pairs
    )


def split_url(url: str) -> SplitResult | None:
    """The parts of an http or https URL with a host; `None` for anything else."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in {"http", "https"} and is_host(parts.hostname or "")
        whole = whole and parts.port != 0
    except ValueError:
        return None
    return parts if whole and not re.search(r"[\s\\]", url) else None
