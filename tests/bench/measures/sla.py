"""The contract's SLA under load and faults, at the most that one core can do.

The vendor thinks for 100 ms, and for 5 s about every fiftieth exchange. Questions come at a steady
pace, which rises until the sidecar's core is full; the highest pace before that is judged. Most
questions are about customers who are known, as in an incident; the others reach the vendor.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count

from proxy.http.caller import Patience
from tests.bench.asking_steadily import Heard, Pace
from tests.bench.figures import Findings, Row, Sample, Target
from tests.bench.lab import Lab, Sidecar, laboratory
from tests.bench.measures import Measure
from tests.bench.mounted import CUSTOMERS, TENANT, Setting
from tests.bench.stage import Stage
from tests.bench.talking import Talker, talking

DOOR = "100ms:0.02:5s"
FULL_CORE = 0.9
"""Working, or kept from it by others."""
STEP_S = (3.0, 20.0)
FIRST_PER_S, FACTOR = 60.0, 1.4
MOST_STEPS = 14
_CONCURRENCY = 256
_STEPS = count()
"""So that each step has strangers of its own."""

TARGETS = (
    Target(
        name="sla_single",
        what="at the highest load of one core, vendor 100 ms with a 2 % tail of 5 s: p95 single",
        limit=500,
        unit="ms",
        digits=0,
    ),
    Target(name="sla_batch", what="the same: p95 batch", limit=2_000, unit="ms", digits=0),
    Target(name="sla_invalid", what="the same: invalid answers", limit=0, unit="", digits=0),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One pace, and what it did to the sidecar."""

    per_s: float
    heard: Heard
    cpu_share: float
    full_share: float
    """Of its core: working, or kept waiting for it."""

    @property
    def is_sustained(self) -> bool:
        return self.full_share <= FULL_CORE

    def row(self) -> Row:
        heard = self.heard
        figures: Mapping[str, float] = {
            "p95 single, ms": percentile(heard.singles_ms, 0.95),
            "p95 batch, ms": percentile(heard.batches_ms, 0.95),
            "share_pct": self.cpu_share * 100,
            "in time, %": 100 * (1 - (heard.unanswered + heard.degraded) / heard.asked),
            "invalid": len(heard.invalid),
        }
        note = "" if self.is_sustained else "more than the core can do"
        samples = {name: Sample.of(one) for name, one in figures.items()}
        return Row(f"{self.per_s:.0f} questions/s", samples, note)


async def _run(stage: Stage, rounds: int) -> Findings:
    lab = await laboratory(stage, DOOR)
    setting = Setting(
        vendor_port=lab.doors[DOOR],
        redis_url=lab.redis_url,
        concurrency=_CONCURRENCY,
        ttl="30s",
    )
    async with (
        lab.sidecar("sla", setting, strict=False) as sidecar,
        talking("tests.bench.asking_steadily", lab.stage.cores.load) as talker,
    ):
        await _step(lab, sidecar, talker, FIRST_PER_S)  # opens connections, and fills the cache
        steps = await _climb(lab, sidecar, talker)
        best = [one for one in steps if one.is_sustained][-1:] or steps[:1]
        judged = [await _step(lab, sidecar, talker, best[0].per_s) for _ in range(rounds)]
    invalid, beyond = _invalid(steps, judged)
    measured = {
        "sla_single": Sample(tuple(percentile(one.heard.singles_ms, 0.95) for one in judged)),
        "sla_batch": Sample(tuple(percentile(one.heard.batches_ms, 0.95) for one in judged)),
        "sla_invalid": Sample.of(float(len(invalid))),
    }
    answers = sum(one.heard.asked for one in (*steps, *judged))
    notes = [
        f"Judged at {best[0].per_s:.0f} questions/s. {answers:,} bodies were held against the "
        f"contract's models and the customers' fees. {' '.join(sorted(set(invalid)))}".strip()
    ]
    if beyond:
        notes.append(
            f"Beyond what the core can do {len(beyond)} had none that is valid "
            f"({', '.join(sorted(set(beyond)))}): more than {Patience().callers:,} callers at once "
            "are turned away."
        )
    return Findings([one.row() for one in steps], measured, notes)


def _invalid(steps: Sequence[Step], judged: Sequence[Step]) -> tuple[list[str], list[str]]:
    """What was wrong with answers at what the core can do, and beyond."""
    beyond = [one for one in steps if not one.is_sustained]
    within = [one for one in steps if one.is_sustained]
    return (
        [text for one in (*within, *judged) for text in one.heard.invalid],
        [text for one in beyond for text in one.heard.invalid],
    )


async def _climb(lab: Lab, sidecar: Sidecar, talker: Talker) -> Sequence[Step]:
    """Ends with the first pace that is too much."""
    steps: list[Step] = []
    for number in range(MOST_STEPS):
        lab.stage.progress.step(f"{FIRST_PER_S * FACTOR**number:.0f} questions/s")
        steps.append(await _step(lab, sidecar, talker, FIRST_PER_S * FACTOR**number))
        if not steps[-1].is_sustained:
            break
    return steps


async def _step(lab: Lab, sidecar: Sidecar, talker: Talker, per_s: float) -> Step:
    pace = Pace(
        url=sidecar.urls["data"],
        tenant=TENANT,
        per_s=per_s,
        for_s=STEP_S[lab.stage.full],
        customers=CUSTOMERS,
        first=next(_STEPS) * 7_919,
    )
    clock = asyncio.get_running_loop().time
    began, spent_s, waited_s = clock(), sidecar.program.cpu_s(), sidecar.waited_s()
    heard = Heard(**json.loads(await talker.ask(json.dumps(asdict(pace)))))
    cpu_s, wall_s = sidecar.program.cpu_s() - spent_s, clock() - began
    kept_s = sidecar.waited_s() - waited_s
    return Step(per_s, heard, cpu_s / wall_s, (cpu_s + kept_s) / wall_s)


def percentile(figures: Sequence[float], share: float) -> float:
    order = sorted(figures) or [0.0]
    return order[min(len(order) - 1, int(len(order) * share))]


MEASURES = (
    Measure(
        name="sla",
        title="The SLA of the contract, under load and with faults",
        targets=TARGETS,
        run=_run,
        rounds=(2, 5),
        about_s=(45, 300),
    ),
)
