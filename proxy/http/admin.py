"""The admin listener: how the sidecar is doing, for people in the pod, and nothing personal."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from proxy.http import attention, requests
from proxy.http.door import Route, Visit, body
from proxy.http.page import Page, load
from proxy.http.ports import NoSuchThing, Operator, Status
from proxy.http.problems import Problem, ProblemType, malformed

_BODY_BYTES = 4096
_WITHIN_S = 5.0
_UNKNOWN = {
    "connection": ProblemType.UNKNOWN_CONNECTION,
    "breaker": ProblemType.UNKNOWN_BREAKER,
}


_BUCKET = re.compile(r"[0-9]{1,12}")


class Reporter(Protocol):
    """Says how the sidecar is doing."""

    def __call__(self, *, since: int | None = None) -> Status:
        """With the rows of each connection's history from this bucket on; `None`: without."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """What a sidecar that is not in earnest, such as the demo's, has more on this listener."""

    routes: Sequence[Route] = ()
    script: str = ""
    """Runs on the page, after its own."""


class AdminRoutes:
    def __init__(
        self, status: Reporter, operator: Operator, extension: Extension | None = None
    ) -> None:
        self._status = status
        self._operator = operator
        self._extension = extension or Extension()
        self._page: Page = load(self._extension.script)

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/", self.page),
            Route("GET", "/v1/status", self.status),
            Route("POST", "/v1/connections/{name}/breaker", self.breaker),
            *self._extension.routes,
        )

    async def page(self, visit: Visit) -> web.Response:
        return web.Response(
            text=self._page.text,
            content_type="text/html",
            headers={
                "Content-Security-Policy": self._page.policy,
                "Referrer-Policy": "no-referrer",
                "Cross-Origin-Opener-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
            },
        )

    async def status(self, visit: Visit) -> web.Response:
        """With `?since=N` also each connection's rows of the last minutes, from bucket N on."""
        return json_answer(content(self._status(since=_since(visit))))

    async def breaker(self, visit: Visit) -> web.Response:
        """Takes a breaker in hand, or gives it back; the answer is its status from now on."""
        sent = await body(visit, most=_BODY_BYTES, within_s=_WITHIN_S)
        breaker, forced = requests.forcing(sent)
        try:
            status = self._operator.force(
                visit.params["name"], breaker, forced, correlation_id=visit.correlation_id
            )
        except NoSuchThing as error:
            there_are = ", ".join(error.known) or "none"
            raise Problem(_UNKNOWN[error.what], f"there are: {there_are}") from None
        return json_answer(status)


def content(status: Status) -> dict[str, object]:
    """The status as JSON, with what needs somebody's attention."""
    shown: dict[str, object] = {
        "version": status.version,
        "started": status.started.isoformat(),
        "now": status.now.isoformat(),
        "ready": status.ready,
        "configuration": {
            "state": status.configuration,
            "problems": [dict(problem) for problem in status.problems],
        },
        "files": [dict(file) for file in status.files],
        "listeners": dict(status.listeners),
        "connections": {name: dict(one) for name, one in status.connections.items()},
        "cache": dict(status.cache),
        "tenants": dict(status.tenants),
        "default_tenant": status.default_tenant,
    }
    found = attention.findings(shown, status.now)
    shown["connections"] = {
        name: {"state": attention.state_of(name, found), **one}
        for name, one in status.connections.items()
    }
    said = {"summary": attention.summary(shown, found), "attention": attention.as_json(found)}
    return {**shown, **said}


def json_answer(content: object) -> web.Response:
    return web.Response(
        status=HTTPStatus.OK, text=json.dumps(content), content_type="application/json"
    )


def _since(visit: Visit) -> int | None:
    given = visit.url.query.getall("since", [])
    if not given:
        return None
    if len(given) > 1 or not _BUCKET.fullmatch(given[0]):
        raise malformed("since is the number of a bucket")
    return int(given[0])
