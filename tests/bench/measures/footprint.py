"""What a sidecar costs that nobody asks: memory, the time to start, the work of being there.

One TMF connection, Redis as the cache. Memory is told at rest, and again after it has worked.
"""

import asyncio
import compileall
import sys
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from tests.bench.figures import Findings, Row, Target
from tests.bench.lab import BATCH, Lab, Strangers, laboratory
from tests.bench.measures import Measure
from tests.bench.mounted import Setting
from tests.bench.processes import Program, running
from tests.bench.stage import Stage

OURS = "sidecar"
BARE = "bare aiohttp + redis-py"
_SETTLED_S = 1.0
_IDLE_S = (3.0, 20.0)
"""How long it is watched doing nothing: quick and full."""
_USED = 10
"""Batches of 200 before memory is told again."""
_STEADIER = "CPU to ready is steadier than the time, on a machine that has other work to do."
_BARE = """
import aiohttp.web, redis.asyncio
redis.asyncio.Redis(unix_socket_path="/nowhere")
aiohttp.web.run_app(aiohttp.web.Application(), host="127.0.0.1", port=0, print=None)
"""

TARGETS = (
    Target(
        name="footprint_rss",
        what="memory at rest, one TMF connection, Redis cache",
        limit=50,
        unit="MiB RSS",
        digits=1,
    ),
    Target(name="footprint_ready", what="exec to ready with bytecode present", limit=0.5, unit="s"),
    Target(name="footprint_idle", what="idle", limit=0.5, unit="% of a core"),
)


async def _run(stage: Stage, rounds: int) -> Findings:
    await asyncio.to_thread(_compile)
    lab = await laboratory(stage, "0ms")
    seen = await stage.in_turn(rounds, {OURS: partial(_ours, lab), BARE: partial(_bare, stage)})
    ours = seen[OURS]
    return Findings(
        [
            Row(OURS, ours, ratios={"bare, RSS": ours["rss_mib"].over(seen[BARE]["rss_mib"])}),
            Row(BARE, seen[BARE], note="both imported, nothing asked: what cannot be undercut"),
        ],
        {
            "footprint_rss": ours["rss_mib"],
            "footprint_ready": ours["wall_s"],
            "footprint_idle": ours["share_pct"],
        },
        [_STEADIER],
    )


async def _ours(lab: Lab) -> Mapping[str, float]:
    lab.redis.tell("FLUSHALL")
    setting = Setting(
        vendor_port=lab.doors["0ms"], redis_url=lab.redis_url, customers=_USED * BATCH
    )
    async with lab.sidecar("resting", setting) as sidecar:
        program = sidecar.program
        await asyncio.sleep(_SETTLED_S)
        rest = {"rss_mib": program.rss_mib(), "pss_mib": program.pss_mib()}
        share_pct = await _idle_pct(program, lab.stage)
        await lab.asked(sidecar, Strangers().batches(_USED))
        return {
            **rest,
            "wall_s": sidecar.ready_s,
            "CPU to ready, s": sidecar.ready_cpu_s,
            "share_pct": share_pct,
            "RSS after 2,000 lookups, MiB": program.rss_mib(),
        }


async def _bare(stage: Stage) -> Mapping[str, float]:
    command, log = (sys.executable, "-P", "-c", _BARE), stage.folder / "bare-rest.log"
    async with running("bare-rest", command, log=log, core=stage.cores.server) as program:
        await asyncio.sleep(_SETTLED_S)
        spent_s = program.cpu_s()
        return {
            "rss_mib": program.rss_mib(),
            "pss_mib": program.pss_mib(),
            "CPU to ready, s": spent_s,
        }


async def _idle_pct(program: Program, stage: Stage) -> float:
    for_s = _IDLE_S[stage.full]
    clock = asyncio.get_running_loop().time
    began, spent_s = clock(), program.cpu_s()
    await asyncio.sleep(for_s)
    return (program.cpu_s() - spent_s) / (clock() - began) * 100


def _compile() -> None:
    """As the image's build does."""
    for name in ("adapters", "config", "proxy"):
        spec = find_spec(name)
        assert spec
        assert spec.origin
        compileall.compile_dir(str(Path(spec.origin).parent), quiet=2)


MEASURES = (
    Measure(
        name="footprint",
        title="A sidecar that nobody asks",
        targets=TARGETS,
        run=_run,
        rounds=(3, 7),
        about_s=(35, 220),
        plot="rss_mib",
    ),
)
