"""The simulation beside real sidecars: same questions, vendor and settings, at a small scale."""

import asyncio
import random
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from tests.bench.fleet import outage
from tests.bench.fleet.outage import dealt
from tests.bench.fleet.plan import Demand, Plan, World, connection
from tests.bench.fleet.real import RealFleet, real_fleet
from tests.bench.fleet.tables import table

DEMAND = Demand(
    customers=200, asked_by=2, batch=25, at_once=1, within_s=1.0, singles=0.0, again_s=3.0,
    again_until_s=20.0,
)  # fmt: skip
MEASURED = World(
    vendor_latency_s=0.05, handshakes_per_s=400.0, tokens_per_s=1000.0, cores=1,
    redis_latency_s=0.002,
)  # fmt: skip
"""Of a machine with two cores, one of which the vendor and the pods keep busy. Redis answers
sooner than that, but a process that shares a core hears of it later."""
CONCURRENCY = 8


@dataclass(frozen=True, slots=True)
class Situation:
    name: str
    per_s: float
    """What the vendor answers in a second."""
    warm: int


SITUATIONS = (
    Situation("400 a second, 8 warm", 400.0, 8),
    Situation("400 a second, none warm", 400.0, 0),
    Situation("40 a second, 4 warm", 40.0, 4),
)
SIDECARS = 4
SEEDS = range(1, 21)
"""One run may be lucky."""
SPIN_S = 1.0


@dataclass(slots=True)
class Heard:
    """By the pods of the real fleet."""

    began: float
    questions: int = 0
    degraded: int = 0
    whole_at: list[float] = field(default_factory=list)


def check() -> str:
    """Both side by side, in Markdown."""
    rows = []
    slowdown = time_for_one_second()
    for situation in SITUATIONS:
        plan = plan_of(situation, slowdown)
        runs = [predicted(replace(plan, seed=seed)) for seed in SEEDS]
        found = asyncio.run(measured(plan))
        rows += [
            _row(situation.name, figure, [one[figure] for one in runs], value)
            for figure, value in found.items()
        ]
    words = (
        f"A second of work took {slowdown:.1f} s on this machine. Simulated: the median of "
        f"{len(SEEDS)} runs, and their range."
    )
    head = ("vendor", "", "simulated", "from", "to", "measured", "measured is")
    return words + "\n\n" + table(head, rows)


def time_for_one_second() -> float:
    """How long a program waits for a second of CPU: 1 where nobody else wants it."""
    began, worked = time.perf_counter(), time.process_time()
    while time.process_time() - worked < SPIN_S:
        pass
    return max(1.0, (time.perf_counter() - began) / SPIN_S)


def plan_of(situation: Situation, slowdown: float) -> Plan:
    world = replace(
        MEASURED,
        vendor_calls_per_s=situation.per_s,
        vendor_queue_s=1e9,
        exchange_cpu_s=MEASURED.exchange_cpu_s * slowdown,
        handshake_cpu_s=MEASURED.handshake_cpu_s * slowdown,
        handshakes_per_s=MEASURED.handshakes_per_s / slowdown,
        redis_latency_s=MEASURED.redis_latency_s * slowdown,
    )
    return Plan(
        sidecars=SIDECARS,
        world=world,
        demand=DEMAND,
        warm=situation.warm,
        has_tokens=False,
        connection=connection(concurrency=CONCURRENCY),
    )


def predicted(plan: Plan) -> Mapping[str, float]:
    made = outage.play(plan)
    return {
        "vendor calls": made.calls.total,
        "token requests": made.tokens.total,
        "identity queries": made.identity_queries.total,
        "connections opened": made.handshakes.total + plan.warm * plan.sidecars,
        "open at most": made.connections.peak,
        "Redis operations": made.redis_ops.total,
        "first answers degraded": made.share_degraded,
        "last whole answer, s": max(made.whole_at, default=0.0),
    }


async def measured(plan: Plan) -> Mapping[str, float]:
    with tempfile.TemporaryDirectory(prefix="fleet-", dir="/tmp") as name:
        async with real_fleet(Path(name), plan) as fleet:
            before = fleet.redis_operations()
            heard = await _asked(fleet, plan.demand, random.Random(plan.seed + 1))
            figures = await fleet.figures()
            return {
                "vendor calls": figures["requests"],
                "token requests": figures["tokens"],
                "identity queries": await fleet.identity_queries(),
                "connections opened": figures["handshakes"] - 1,  # the one that is asked with
                "open at most": figures["most_connections"] - 1,
                "Redis operations": fleet.redis_operations() - before,
                "first answers degraded": heard.degraded / heard.questions,
                "last whole answer, s": max(heard.whole_at, default=0.0),
            }


async def _asked(fleet: RealFleet, demand: Demand, dice: random.Random) -> Heard:
    heard = Heard(began=asyncio.get_running_loop().time())
    questions = dealt(demand, fleet.size, dice)
    async with asyncio.TaskGroup() as pods:
        for number, asked in enumerate(questions):
            wait_s = dice.random() * demand.within_s
            pods.create_task(_pod(fleet, number, asked, wait_s, demand, heard))
    return heard


async def _pod(
    fleet: RealFleet,
    number: int,
    questions: list[list[int]],
    wait_s: float,
    demand: Demand,
    heard: Heard,
) -> None:
    """As `outage.Pods` has it, in earnest."""
    await asyncio.sleep(wait_s)
    slots, dice = asyncio.Semaphore(demand.at_once), random.Random(number)
    clock = asyncio.get_running_loop().time

    async def one(customers: list[int]) -> None:
        heard.questions += 1
        is_first = True
        while True:
            async with slots:
                is_whole = await fleet.ask(number, customers)
            if is_whole:
                heard.whole_at.append(clock() - heard.began)
                return
            heard.degraded += is_first
            is_first = False
            again_s = demand.again_s * (0.5 + dice.random())
            if clock() - heard.began + again_s >= demand.again_until_s:
                return
            await asyncio.sleep(again_s)

    async with asyncio.TaskGroup() as asking:
        for customers in questions:
            asking.create_task(one(customers))


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.2f}"


def _row(name: str, figure: str, foreseen: Sequence[float], found: float) -> list[str]:
    middle = median(foreseen)
    spread = (min(foreseen), max(foreseen))
    return [name, figure, *map(_text, (middle, *spread, found)), _off(middle, found)]


def _off(foreseen: float, found: float) -> str:
    if foreseen == found:
        return "the same"
    return f"{found / foreseen:.2f} ×" if foreseen else "more"
