"""Who may ask at all: decided on headers, before any route is looked at.

A listener on loopback trusts neither the web pages in an operator's browser (DNS rebinding shows
in `Host`, a request across sites in `Origin` and `Sec-Fetch-Site`) nor the other containers of
the pod (the bearer token).
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from config.addresses import is_loopback
from proxy.http.problems import Problem, ProblemType, malformed

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy

_REMEMBERED = 16
"""Values of `Host`. A pod sends one; strangers cannot make more of them take room."""
_OWN_SITE = frozenset({"same-origin", "none"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The conditions of one listener."""

    loopback_host: bool
    """`Host` must be a loopback name or address. Not asked on a unix socket, nor where the
    listener is bound to another address."""
    own_origin: bool = True
    """A page of another origin is refused."""
    scheme: str = "http"
    token: bytes | None = field(default=None, repr=False)
    """What `Authorization: Bearer` must carry; `None`: nothing is asked for."""
    former_tokens: Sequence[bytes] = field(default=(), repr=False)
    """Accepted beside `token`, while whoever shares the file reads the new one."""

    def admit(self, headers: "CIMultiDictProxy[str]", target_host: str | None = None) -> None:
        """Raises a `Problem` unless the request may come in.

        `target_host` is the host of a request in absolute form (RFC 9112, section 3.2.2).
        """
        if self.loopback_host:
            self._admit_host(headers.getall("Host", []), target_host)
        if self.own_origin and ("Sec-Fetch-Site" in headers or "Origin" in headers):
            self._admit_origin(headers)
        if self.token is not None:
            self._admit_token(headers.getall("Authorization", []), self.token)

    def _admit_host(self, hosts: Sequence[str], target_host: str | None) -> None:
        if len(hosts) != 1:
            raise malformed("send one Host")
        if not is_loopback_authority(hosts[0]) or not (
            target_host is None or is_loopback(target_host)
        ):
            raise Problem(ProblemType.FOREIGN, "Host must be a loopback name or address")

    def _admit_origin(self, headers: "CIMultiDictProxy[str]") -> None:
        sites = headers.getall("Sec-Fetch-Site", [])
        if any(site.strip().lower() not in _OWN_SITE for site in sites):
            raise Problem(ProblemType.FOREIGN, "pages of other sites may not ask")
        own = {f"{self.scheme}://{host}".lower() for host in headers.getall("Host", [])}
        if any(origin.strip().lower() not in own for origin in headers.getall("Origin", [])):
            raise Problem(ProblemType.FOREIGN, "pages of another origin may not ask")

    def _admit_token(self, credentials: Sequence[str], token: bytes) -> None:
        scheme, _, given = credentials[0].partition(" ") if len(credentials) == 1 else ("", "", "")
        # The comparison takes as long for a token that is almost right as for one that is not.
        sent = given.strip().encode("utf-8", "surrogateescape")
        fits = [hmac.compare_digest(sent, one) for one in (token, *self.former_tokens)]
        if scheme.lower() != "bearer" or not any(fits):
            raise Problem(
                ProblemType.UNAUTHORIZED,
                "send Authorization: Bearer with the token of this sidecar",
                headers={"WWW-Authenticate": 'Bearer realm="bss-sidecar"'},
            )


@lru_cache(maxsize=_REMEMBERED)
def is_loopback_authority(authority: str) -> bool:
    """`localhost`, `127.0.0.0/8` or `[::1]`, with any port or none."""
    try:
        parts = urlsplit(f"//{authority}")
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.netloc == authority
        and "@" not in authority
        and port_is_valid
        and (is_loopback(parts.hostname or ""))
    )
