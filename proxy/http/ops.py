"""The ops listener: is it alive, is it ready, and its figures. Nothing personal is on it."""

import json
from collections.abc import Callable, Sequence

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0

from proxy.http.door import Route, Visit
from proxy.telemetry.rendering import rendered


class OpsRoutes:
    """`readiness` says why the sidecar is not ready, or `None` when it is."""

    def __init__(self, registry: CollectorRegistry, readiness: Callable[[], str | None]) -> None:
        self._registry = registry
        self._readiness = readiness

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", "/healthz", self.healthz),
            Route("GET", "/readyz", self.readyz),
            Route("GET", "/metrics", self.metrics),
        )

    async def healthz(self, visit: Visit) -> web.Response:
        return _json(200, {"status": "alive"})

    async def readyz(self, visit: Visit) -> web.Response:
        """A sidecar without a usable configuration is ready too: it answers, degraded."""
        obstacle = self._readiness()
        if obstacle is None:
            return _json(200, {"status": "ready"})
        return _json(503, {"status": "not ready", "because": obstacle})

    async def metrics(self, visit: Visit) -> web.Response:
        return web.Response(
            body=await rendered(self._registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_1_0_0}
        )


def _json(status: int, content: object) -> web.Response:
    return web.Response(status=status, text=json.dumps(content), content_type="application/json")
