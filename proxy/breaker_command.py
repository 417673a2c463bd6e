"""`bss-sidecar breaker`: see the breakers of a sidecar that serves, and force one.

It speaks to the admin listener, so that it works in a container that has nothing but the sidecar.
"""

import json as json_text
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from proxy.admin_client import EXIT_REFUSED, AdminClient, Refused, admin_address
from proxy.http.breaker_words import breaker_words, breakers_of, command

_FORCE = {"open": "open", "closed": "closed", "auto": None}
_MEANS = {
    "forced_open": "Nothing is sent through it; what needs it is answered degraded, at once.",
    "forced_closed": "Everything is sent through it, whatever fails: who is asked gets no rest.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was typed."""

    connection: str | None = None
    """`None`: all of them."""
    wanted: str | None = None
    """`open`, `closed` or `auto`; `None`: only look."""
    breaker: str = "vendor"
    admin: str | None = None
    """URL of the admin listener, where no file says it."""
    file: Path | None = None
    json: bool = False


def run_breaker(wish: Wish, *, env: Mapping[str, str], out: TextIO, err: TextIO) -> int:
    """The exit status."""
    try:
        sidecar = AdminClient(*admin_address(wish.admin, wish.file, env))
        answer = _looked(sidecar, wish) if wish.wanted is None else _forced(sidecar, wish)
    except Refused as refused:
        print(f"bss-sidecar breaker: {refused}", file=err)
        return refused.code
    print("\n".join(answer), file=out)
    return 0


def _looked(sidecar: AdminClient, wish: Wish) -> Iterator[str]:
    """A line for each breaker, those of one connection only if it was named."""
    connections: Mapping[str, Any] = sidecar.ask("GET", "/v1/status").get("connections", {})
    if wish.connection is not None:
        if wish.connection not in connections:
            there_are = ", ".join(connections) or "none"
            raise Refused(f"There is no such connection: there are: {there_are}", EXIT_REFUSED)
        connections = {wish.connection: connections[wish.connection]}
    if wish.json:
        found = {name: dict(breakers_of(one)) for name, one in connections.items()}
        return iter([json_text.dumps(found, indent=2)])
    rows = [
        (connection, name, *breaker_words(breaker, command=command(connection, name)))
        for connection, one in connections.items()
        for name, breaker in breakers_of(one)
    ]
    return _table(rows) if rows else iter(["no connection has a breaker"])


def _forced(sidecar: AdminClient, wish: Wish) -> Iterator[str]:
    name = wish.connection or ""
    content = {"force": _FORCE[str(wish.wanted)], "breaker": wish.breaker}
    breaker = sidecar.ask("POST", f"/v1/connections/{quote(name, safe='')}/breaker", content)
    if wish.json:
        return iter([json_text.dumps(breaker, indent=2)])
    return _told(name, wish.breaker, breaker)


def _told(name: str, breaker: str, status: Mapping[str, object]) -> Iterator[str]:
    """What it is now, what that means, and what to type next."""
    state = str(status.get("state"))
    words, why = breaker_words(status, command=command(name, breaker))
    yield f"{name}: {breaker}: {words}"
    if state in _MEANS:
        yield _MEANS[state]
        yield "It stays so through reloads of the configuration, until this sidecar restarts, or:"
        yield f"  {command(name, breaker)}"
    else:
        if why:
            yield why
        yield "It decides by itself."
    yield "This is the sidecar of one pod; every other pod's has breakers of its own."


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    rows = [("connection", "breaker", "state", "why"), *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(
            f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)
        ).rstrip()
