"""A sidecar with the demo's buttons, one vendor that they break, and the demo's stagehand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from adapters.simulator.certificates import write_demo_certificates
from adapters.simulator.control import Control
from proxy.demo.children import Children
from proxy.demo.play import Play
from proxy.demo.stage import Ports, Stage
from proxy.demo.stagehand import stagehand
from tests.servers.sidecar import Demonstration, staged, within
from tests.servers.vendors import NOW, Setup


@dataclass(frozen=True, slots=True)
class Playground:
    demo: Demonstration
    certificate: Path
    """The one that the stagehand rotates; the sidecar has another."""
    control: Control


@asynccontextmanager
async def playground(folder: Path) -> AsyncIterator[Playground]:
    """Its vendor is `amdocs`."""
    mounted = folder / "mounted"
    mounted.mkdir()
    async with (
        staged(folder, setups={"amdocs": Setup(shape="amdocs")}) as stage,
        aiohttp.ClientSession() as session,
        stagehand(_hand(mounted, session)) as certificate_url,
    ):
        control = Control(stage.vendors["amdocs"])
        url = f"http://127.0.0.1:{await control.start()}"
        play = Play({"amdocs": url}, certificate_url)
        try:
            async with within(stage, extension=play.extension()) as demo:
                yield Playground(demo, mounted / "client.pem", control)
        finally:
            await control.stop()


def _hand(mounted: Path, session: aiohttp.ClientSession) -> Stage:
    stage = Stage(mounted, Ports(), Children(mounted), session)
    stage.authority = write_demo_certificates(mounted, now=NOW)
    return stage
