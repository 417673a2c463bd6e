"""The admin listener: how the sidecar is doing, for people in the pod, and nothing personal."""

import json
from collections.abc import Callable, Sequence
from http import HTTPStatus

from aiohttp import web

from proxy.http import requests
from proxy.http.door import Route, Visit, body
from proxy.http.page import POLICY, page
from proxy.http.ports import NoSuchThing, Operator, Status
from proxy.http.problems import Problem, ProblemType

_BODY_BYTES = 4096
_WITHIN_S = 5.0
_UNKNOWN = {
    "connection": ProblemType.UNKNOWN_CONNECTION,
    "breaker": ProblemType.UNKNOWN_BREAKER,
}


class AdminRoutes:
    def __init__(self, status: Callable[[], Status], operator: Operator) -> None:
        self._status = status
        self._operator = operator

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/", self.page),
            Route("GET", "/v1/status", self.status),
            Route("POST", "/v1/connections/{name}/breaker", self.breaker),
        )

    async def page(self, visit: Visit) -> web.Response:
        return web.Response(
            text=page(self._status()),
            content_type="text/html",
            headers={"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"},
        )

    async def status(self, visit: Visit) -> web.Response:
        return _json(content(self._status()))

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
        return _json(status)


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
        "cache": dict(status.cache),
        "tenants": dict(status.tenants),
        "default_tenant": status.default_tenant,
    }


def _json(content: object) -> web.Response:
    return web.Response(
        status=HTTPStatus.OK, text=json.dumps(content), content_type="application/json"
    )
