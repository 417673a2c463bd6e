"""The admin listener: how the sidecar is doing, for people in the pod, and nothing personal."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from html import escape

from aiohttp import web

from proxy.http.door import Route, Visit
from proxy.http.ports import Status

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #8884}"
    ":root{color-scheme:light dark}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class AdminRoutes:
    def __init__(self, status: Callable[[], Status]) -> None:
        self._status = status

    def routes(self) -> Sequence[Route]:
        return (Route("GET", "/", self.page), Route("GET", "/v1/status", self.status))

    async def page(self, visit: Visit) -> web.Response:
        return web.Response(
            text=page(self._status()),
            content_type="text/html",
            headers={"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"},
        )

    async def status(self, visit: Visit) -> web.Response:
        text = json.dumps(content(self._status()))
        return web.Response(text=text, content_type="application/json")


def content(status: Status) -> dict[str, object]:
    """The status as JSON."""
    return {
        "version": status.version,
        "started": status.started.isoformat(),
        "ready": status.ready,
        "configuration": {
            "state": status.configuration,
            "problems": [dict(problem) for problem in status.problems],
        },
        "files": [dict(file) for file in status.files],
        "listeners": dict(status.listeners),
        "connections": {name: dict(one) for name, one in status.connections.items()},
        "tenants": dict(status.tenants),
        "default_tenant": status.default_tenant,
    }


def page(status: Status) -> str:
    """The status as one page of HTML that needs nothing else."""
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
        _table("Listeners", ("listener", "address"), status.listeners.items()),
        _table("Connections", ("connection", "state"), _connection_rows(status)),
        _table("Tenants", ("tenant", "connection"), status.tenants.items()),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>bss-sidecar</title>'
        f"<style>{_STYLE}</style></head><body><h1>bss-sidecar</h1>{''.join(parts)}</body></html>"
    )


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
        said = ((key, value) for key, value in one.items() if not isinstance(value, list))
        yield name, ", ".join(f"{key}: {value}" for key, value in said)


def _table(title: str, heads: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{escape(a)}</td><td>{escape(b)}</td></tr>" for a, b in rows)
    if not cells:
        return ""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    return f"<h2>{title}</h2><table><tr>{head}</tr>{cells}</table>"
