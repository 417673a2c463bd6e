"""What kube-state-metrics shows of two pods: one with its sidecar, one that lacks it."""

from types import TracebackType
from typing import Self

from aiohttp import web

SEEN = """\
kube_pod_status_phase{namespace="cluster",pod="backend-0",phase="Running"} 1
kube_pod_init_container_info{namespace="cluster",pod="backend-0",container="bss-sidecar"} 1
kube_pod_status_phase{namespace="cluster",pod="backend-1",phase="Running"} 1
kube_pod_container_info{namespace="cluster",pod="backend-1",container="backend"} 1
"""
_INJECT = 'label_bss_sidecar_pedkai_io_inject="true"'
LABELS = f"""\
kube_pod_labels{{namespace="cluster",pod="backend-0",{_INJECT}}} 1
kube_pod_labels{{namespace="cluster",pod="backend-1",{_INJECT}}} 1
"""


class Kubernetes:
    """At first it shows no labels, as kube-state-metrics does unless it is told to."""

    def __init__(self) -> None:
        self.shows_labels = False
        self._runner: web.AppRunner | None = None
        self.address = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(text=SEEN + LABELS if self.shows_labels else SEEN)
