"""Whether a lookup costs more where there is more: in a batch, in the configuration, in the past.

All of it is CPU of cached answers, which the vendor's time cannot hide. *Flat* means for a batch
that it is a straight line: one further customer costs as much from 100 to 200 as from 1 to 100.
For the others, that a lookup costs with much what it costs with little.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from tests.bench.figures import Findings, Row, Sample, Target
from tests.bench.lab import BATCH, Lab, Sidecar, batch, laboratory, single
from tests.bench.load import Ask, Load
from tests.bench.measures import Measure
from tests.bench.mounted import CROWD, Setting
from tests.bench.stage import Burst, Stage

SIZES = (1, 10, 50, 100, 200)
MANY = 50
"""Connections and tenants."""
SEEN = (100_000, 1_000_000)
"""Customers, quick and full."""
FEW_SEEN = 10
FLAT = 1.10
_BURST_S = 0.5
_IDLE_S = 3.0
_HOT = 50
_CROWD_AT_ONCE = 4

TARGETS = (
    Target(
        name="growth_batch",
        what="CPU of one further customer in a cached batch, from 100 to 200 against 1 to 100",
        limit=FLAT,
    ),
    Target(
        name="growth_connections",
        what=f"CPU of a cached lookup, {MANY} connections and tenants against 1",
        limit=FLAT,
    ),
    Target(
        name="growth_seen",
        what="CPU of a cached lookup, 1,000,000 customers seen (quick: 100,000) against 10",
        limit=FLAT,
    ),
)


async def _run(stage: Stage, rounds: int) -> Findings:
    lab = await laboratory(stage, "0ms")
    few = Setting(vendor_port=lab.doors["0ms"], customers=BATCH)
    many_seen = SEEN[stage.full]
    seen_name = f"{many_seen:,} customers seen"
    async with AsyncExitStack() as up:
        one = await up.enter_async_context(lab.sidecar("one", few))
        many = await up.enter_async_context(lab.sidecar("many", replace(few, connections=MANY)))
        crowded = await up.enter_async_context(lab.sidecar("crowd", replace(few, has_crowd=True)))
        before_mib = crowded.program.rss_mib()
        await _crowd(lab, crowded, many_seen)
        after_mib = crowded.program.rss_mib()
        seen = await stage.in_turn(
            rounds,
            {
                **{f"batch of {size}": _bursts(stage, one, [batch(range(size))]) for size in SIZES},
                "1 connection": _bursts(stage, one, _singles(1)),
                f"{MANY} connections": _bursts(stage, many, _singles(MANY)),
                seen_name: _bursts(stage, crowded, _singles(1)[:FEW_SEEN]),
                f"{FEW_SEEN} customers seen": _bursts(stage, one, _singles(1)[:FEW_SEEN]),
            },
        )
        memory = _memory(one, many, before_mib, after_mib)
        idle = f"Idle with {MANY} connections: {await _idle_pct(many):.2f} % of a core."
    cpu = {name: figures["cpu_us"] for name, figures in seen.items()}
    measured = {
        "growth_batch": further([cpu[f"batch of {size}"] for size in SIZES], SIZES),
        "growth_connections": cpu[f"{MANY} connections"].over(cpu["1 connection"]),
        "growth_seen": cpu[seen_name].over(cpu[f"{FEW_SEEN} customers seen"]),
    }
    rows = [Row(name, figures) for name, figures in seen.items()]
    return Findings(
        rows, measured, [memory, idle, "CPU is of one request, whatever its customers."]
    )


def further(cpu: Sequence[Sample], sizes: Sequence[int]) -> Sample:
    """What one more customer costs from 100 on, in proportion to what it costs below.

    A sidecar whose batches were quadratic would show 2 here at least.
    """
    at = dict(zip(sizes, cpu, strict=True))
    above = at[200].minus(at[100]).times(1 / 100)
    below = at[100].minus(at[1]).times(1 / 99)
    return above.over(below)


async def _idle_pct(sidecar: Sidecar) -> float:
    clock = asyncio.get_running_loop().time
    began, spent_s = clock(), sidecar.program.cpu_s()
    await asyncio.sleep(_IDLE_S)
    return (sidecar.program.cpu_s() - spent_s) / (clock() - began) * 100


async def _crowd(lab: Lab, sidecar: Sidecar, customers: int) -> None:
    """So many ask once, and never again."""
    step = 100 * BATCH
    for first in range(1_000_000, 1_000_000 + customers, step):
        asks = [
            batch(range(start, start + BATCH), tenant=CROWD)
            for start in range(first, first + min(step, customers), BATCH)
        ]
        await lab.asked(
            sidecar, [replace(one, holds=b"") for one in asks], connections=_CROWD_AT_ONCE
        )


def _singles(tenants: int) -> list[Ask]:
    return [single(n, tenant=f"tenant_{n % tenants}") for n in range(_HOT)]


def _bursts(stage: Stage, sidecar: Sidecar, asks: Sequence[Ask]) -> Burst:
    load = Load(port=sidecar.data_port, asks=asks, connections=8, seconds=_BURST_S, warm=2 * _HOT)
    return stage.burst(sidecar.program, load)


def _memory(one: Sidecar, many: Sidecar, before_mib: float, after_mib: float) -> str:
    figures: Mapping[str, float] = {
        "1 connection": one.program.rss_mib(),
        f"{MANY} connections": many.program.rss_mib(),
        "before the crowd": before_mib,
        "after it": after_mib,
    }
    return "RSS, MiB: " + ", ".join(f"{name} {mib:.0f}" for name, mib in figures.items()) + "."


MEASURES = (
    Measure(
        name="growth",
        title="Where there is more of everything",
        targets=TARGETS,
        run=_run,
        rounds=(5, 11),
        about_s=(70, 400),
        quick=False,
    ),
)
