"""The status as one page of HTML that needs nothing else: what is wrong first, and what to type."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from proxy.http.ports import Status

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884;"
    "vertical-align:top}code{white-space:nowrap}"
    ":root{color-scheme:light dark}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""`Content-Security-Policy` of the page: it runs nothing and loads nothing."""
_STATES = {
    "closed": "closed: traffic flows",
    "open": "open: nothing leaves",
    "half_open": "half open: a probe may leave",
    "forced_open": "forced open by an operator: nothing leaves",
    "forced_closed": "forced closed by an operator: traffic flows, whatever fails",
}


def page(status: Status) -> str:
    state = (
        f"<p>Version {escape(status.version)}, started "
        f"{escape(status.started.isoformat(timespec='seconds'))}, "
        f"{'ready' if status.ready else 'not ready'}. "
        f"Configuration: {escape(status.configuration)}.</p>"
    )
    parts = [
        state,
        _table("Problems", ("path", "remedy"), _problem_rows(status)),
        _table("Files", ("file", "what is wrong, and what to do"), _file_rows(status)),
        _table("Breakers", ("breaker", "state", "why"), _breaker_rows(status)),
        _table("Connections", ("connection", "state"), _connection_rows(status)),
        _table("Cache", ("what", "state"), _cache_rows(status)),
        _table("Listeners", ("listener", "address"), status.listeners.items()),
        _table("Tenants", ("tenant", "connection"), status.tenants.items()),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bss-sidecar</title>'
        f"<style>{_STYLE}</style></head><body><h1>bss-sidecar</h1>{''.join(parts)}</body></html>"
    )


def breaker_words(breaker: Mapping[str, object], *, command: str) -> tuple[str, str]:
    """The state of a breaker, and why it is in it; `command` gives back one that is forced."""
    recent = _recent(breaker)
    state = str(breaker.get("state"))
    words = _STATES.get(state, state)
    if state == "open":
        words += f" for another {_number(breaker.get('opens_for_s')):.1f} s"
    if since := breaker.get("forced_since"):
        give_back = f"`{command}` gives it back"
        return f"{words}, since {since}", f"{give_back}; {recent}" if recent else give_back
    because = str(breaker.get("because") or "")
    return words, because if state in {"open", "half_open"} else recent


def _recent(breaker: Mapping[str, object]) -> str:
    calls = int(_number(breaker.get("calls")))
    if not calls:
        return ""
    failed, slow = (_number(breaker.get(name)) for name in ("failure_rate", "slow_call_rate"))
    return f"lately {calls} exchanges: {failed:.0%} failed, {slow:.0%} slow"


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def breakers_of(connection: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Name and status of each breaker in the status of a connection."""
    breakers = connection.get("breakers")
    if isinstance(breakers, Mapping):
        yield from breakers.items()


def _breaker_rows(status: Status) -> Iterator[Sequence[str]]:
    """Those that do not just let traffic through come first."""
    rows = [
        (f"{connection}: {name}", *breaker_words(breaker, command=command(connection, name)))
        for connection, one in status.connections.items()
        for name, breaker in breakers_of(one)
    ]
    yield from sorted(rows, key=lambda row: row[1].startswith("closed"))


def command(connection: str, breaker: str, wanted: str = "auto") -> str:
    """What to type to have a breaker so."""
    suffix = "" if breaker == "vendor" else f" --breaker {breaker}"
    return f"bss-sidecar breaker {connection} {wanted}{suffix}"


def _problem_rows(status: Status) -> Iterable[tuple[str, str]]:
    return ((problem.get("path", ""), problem.get("remedy", "")) for problem in status.problems)


def _file_rows(status: Status) -> Iterable[tuple[str, str]]:
    for one in status.files:
        yield (
            f"{one.get('connection')}: {one.get('file')}",
            f"{one.get('what')}; {one.get('remedy')}",
        )


def _connection_rows(status: Status) -> Iterable[tuple[str, str]]:
    for name, one in status.connections.items():
        said = ((key, value) for key, value in one.items() if not isinstance(value, list | Mapping))
        yield name, ", ".join(f"{key}: {value}" for key, value in said)


def _cache_rows(status: Status) -> Iterable[tuple[str, str]]:
    """What is empty says nothing."""
    cache = status.cache
    for key, value in cache.items():
        if value not in (None, "") and not isinstance(value, list | tuple | Mapping):
            yield key.replace("_", " "), str(value)
    breakers = cache.get("breakers")
    for name, breaker in breakers.items() if isinstance(breakers, Mapping) else ():
        state, why = _STATES.get(str(breaker.get("state")), ""), breaker.get("because")
        yield f"breaker of {name}", f"{state}; {why}" if why else state


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    if not cells:
        return ""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    return f"<h2>{title}</h2><table><tr>{head}</tr>{cells}</table>"
