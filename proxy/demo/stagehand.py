"""Does for the page's buttons what only the demo itself can: it alone holds the authority's key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from adapters.simulator.population import SHAPES
from proxy.demo.stage import Stage


@asynccontextmanager
async def stagehand(stage: Stage) -> AsyncIterator[str]:
    """The URL that a `PUT` rotates the client certificate at. Loopback, a free port.

    A page of elsewhere would have to ask whether it may `PUT`, and nobody answers that.
    """

    async def rotate(_request: web.Request) -> web.Response:
        await asyncio.to_thread(stage.rotate_certificate)
        return web.json_response({"certificate": "rotated"})

    application = web.Application()
    application.add_routes([web.put("/certificate", rotate)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/certificate"
    finally:
        await runner.cleanup()


def playing(stage: Stage, certificate_url: str) -> list[str]:
    """Arguments of `proxy.demo.sidecar`, after the configuration."""
    controls = [f"--control={shape}={stage.control_url(shape)}" for shape in SHAPES]
    return [*controls, f"--certificate={certificate_url}"]
