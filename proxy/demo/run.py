"""Runs the demo from beginning to end, and ends every child whatever happens."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from adapters.simulator.population import SHAPES, customer_id
from proxy.demo.children import ChildDied, children
from proxy.demo.evidence import DemoFailed
from proxy.demo.questions import Pod
from proxy.demo.screen import Screen
from proxy.demo.stage import LATENCY, METHODS, Ports, Stage, StageFailed
from proxy.demo.story import Story

FAILED = 1


def run(*, keep: bool) -> int:
    """Exit status 0 when every answer was right; with `keep`, when it was asked to end."""
    return asyncio.run(_until_signalled(_demo(Screen(), keep=keep)))


async def _until_signalled(demo: Coroutine[Any, Any, int]) -> int:
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(demo)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, telling.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            return await telling
    return 0


async def _demo(screen: Screen, *, keep: bool) -> int:
    ports = Ports() if keep else Ports.free()
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        ports.check()
        async with _stage(ports) as stage:
            now = datetime.now(tz=UTC)  # noqa: TID251  (the demo is an edge: its data are of today)
            await _set_up(screen, stage, now)
            story = Story(screen, stage, Pod(stage.session, stage.data_url), now)
            await story.tell()
            story.summary(clock() - began)
            if keep:
                await _keep(screen, stage)
    except (ChildDied, DemoFailed, StageFailed) as failure:
        sys.stderr.write(f"\n{failure}\n")
        return FAILED
    return 0


@contextlib.asynccontextmanager
async def _stage(ports: Ports) -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="bss-demo-") as name:
        folder = Path(name)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            children(folder) as family,
        ):
            yield Stage(folder, ports, family, session)


async def _set_up(screen: Screen, stage: Stage, now: datetime) -> None:
    screen.line("BSS sidecar · demo", "bold")
    screen.note("Three pretend vendors, each a process of its own; 1,000 customers each; GBP.")
    await stage.prepare(now)
    screen.note("Made a throwaway CA, a server and a client certificate, a local database.")
    await stage.start_vendors()
    for shape in SHAPES:
        screen.note(
            f"{shape:<10} https://localhost:{stage.ports.vendors[shape]}   mutual TLS, OAuth2 "
            f"{METHODS[shape]}, {LATENCY} a request"
        )
    await stage.start_sidecar()
    screen.note(f"sidecar    {stage.data_url}")


async def _keep(screen: Screen, stage: Stage) -> None:
    """Leaves all running until a signal comes."""
    tenant = "amdocs_demo"
    customer = customer_id(tenant, 6)
    screen.title("All of it goes on running. Ask it yourself:")
    account = f"/v1/customers/{customer}/billing-account"
    post = f"-H 'X-Tenant-ID: {tenant}' -H 'Content-Type: application/json'"
    body = f"""-d '{{"customer_ids": ["{customer}"]}}'"""
    for command in (
        f"curl -i {stage.data_url}{account} -H 'X-Tenant-ID: {tenant}'",
        f"curl -i {stage.data_url}/v1/revenue-at-risk {post} {body}",
        f"curl -i {stage.data_url}/v1/disputes {post} {body}",
        f"curl -s http://127.0.0.1:{stage.ports.admin}/v1/status",
        f"curl -s http://127.0.0.1:{stage.ports.ops}/metrics",
    ):
        screen.line(f"  {command}")
    screen.line()
    screen.note("Cut a vendor, and heal it (GET / lists the faults and their knobs):")
    control = stage.control_url("amdocs")
    screen.line(f"  curl -s {control}/")
    screen.line(f"  curl -X PUT {control}/fault/hang")
    screen.line(f"  curl -X DELETE {control}/fault")
    screen.line()
    for child in stage.children.running:
        screen.note(f"{child.name:<10} process {child.process.pid}, log {child.log}")
    screen.note(f"configuration {stage.configuration_file}")
    screen.note("Ctrl-C or SIGTERM ends all of it.")
    screen.line(f"demo ready: {stage.data_url}")
    await asyncio.Event().wait()
