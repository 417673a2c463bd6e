"""Runs the demo from beginning to end, and ends every child whatever happens."""

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from adapters.simulator.population import SHAPES
from proxy.demo.children import ChildDied, children
from proxy.demo.evidence import DemoFailed
from proxy.demo.keep import keep as leave_running
from proxy.demo.questions import Pod
from proxy.demo.screen import Screen
from proxy.demo.stage import LATENCY, METHODS, Ports, PortsTaken, Stage, StageFailed
from proxy.demo.stagehand import playing, stagehand
from proxy.demo.story import Story

FAILED = 1
TAKEN = 69  # EX_UNAVAILABLE of sysexits.h
INTERRUPTED = 128
"""Plus the number of the signal."""


def run(*, keep: bool) -> int:
    """Exit status 0 when every answer was right; with `keep`, when it was asked to end."""
    return asyncio.run(_until_signalled(Screen(), keep=keep))


class _Curtain:
    """A signal ends a kept demo as it was asked to, and cuts a story short."""

    def __init__(self) -> None:
        self.told = False
        self.falls = asyncio.Event()
        self.signal = 0

    def drop(self, number: signal.Signals, telling: asyncio.Task[int]) -> None:
        self.signal = int(number)
        self.falls.set()
        if not self.told:
            telling.cancel()


async def _until_signalled(screen: Screen, *, keep: bool) -> int:
    loop = asyncio.get_running_loop()
    curtain = _Curtain()
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(_demo(screen, curtain, keep=keep))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, curtain.drop, number, telling)
        await asyncio.wait({telling})
    if not telling.cancelled():
        return telling.result()
    sys.stderr.write("\nThe demo was interrupted.\n")
    return INTERRUPTED + curtain.signal


async def _demo(screen: Screen, curtain: _Curtain, *, keep: bool) -> int:
    ports = Ports() if keep else Ports.free()
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        ports.check()
        async with _stage(ports, keep=keep) as stage, stagehand(stage) as hand_url:
            now = datetime.now(tz=UTC)  # noqa: TID251  (the demo is an edge: its data are of today)
            await _set_up(screen, stage, now, playing(stage, hand_url) if keep else None)
            story = Story(screen, stage, Pod(stage.session, stage.data_url), now)
            await story.tell()
            story.summary(clock() - began)
            if keep:
                curtain.told = True
                await leave_running(screen, stage, until=curtain.falls)
    except PortsTaken as taken:
        sys.stderr.write(f"{taken}\n")
        return TAKEN
    except (ChildDied, DemoFailed, StageFailed) as failure:
        sys.stderr.write(f"\n{failure}\n")
        return FAILED
    return 0


@contextlib.asynccontextmanager
async def _stage(ports: Ports, *, keep: bool) -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="bss-demo-") as name:
        folder = Path(name)
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
            children(folder) as family,
        ):
            yield Stage(folder, ports, family, session, is_kept=keep)


async def _set_up(
    screen: Screen, stage: Stage, now: datetime, to_play: Sequence[str] | None
) -> None:
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
    await stage.start_sidecar(playing=to_play)
    screen.note(f"sidecar    {stage.data_url}")
    screen.note(f"its page   {stage.page_url}")
