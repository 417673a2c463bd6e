"""Which runs are made side by side, and what is told of each."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from config.tmf_settings import TmfProfile
from tests.bench.fleet import outage, rotation
from tests.bench.fleet.outage import Outcome
from tests.bench.fleet.plan import Plan, connection
from tests.bench.fleet.rotation import Rotation

FLEETS = (10, 100, 1_000, 10_000)
PLOTTED = frozenset({"all of it", "none of the four", "4 warm, over 0 s", "4 warm, over 90 s"})
PLOTTED_SERIES = ("calls", "connections", "tokens", "redis_ops")
TOLD_S = 130
"""How much of a run is kept for the plots, in seconds."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run, under a name."""

    name: str
    plan: Plan
    rotation: Rotation | None = None

    scale: int = 1
    """So many of everything are played as one, and counted as so many: sidecars, customers, and
    what vendor and Redis can do. Nobody who is left out would have done anything else."""

    def play(self) -> Mapping[str, Any]:
        """What it came to, as JSON has it."""
        plan = shrunk(self.plan, self.scale)
        if self.rotation is None:
            return told(self, outage.play(plan))
        return told(self, rotation.play(plan, self.rotation))


def shrunk(plan: Plan, scale: int) -> Plan:
    world = plan.world
    smaller = replace(
        world,
        vendor_calls_per_s=world.vendor_calls_per_s / scale,
        vendor_limit_per_s=world.vendor_limit_per_s / scale,
        vendor_connections=world.vendor_connections // scale,
        handshakes_per_s=world.handshakes_per_s / scale,
        tokens_per_s=world.tokens_per_s / scale,
        redis_ops_per_s=world.redis_ops_per_s / scale,
    )
    demand = replace(plan.demand, customers=plan.demand.customers // scale)
    return replace(plan, sidecars=plan.sidecars // scale, world=smaller, demand=demand)


def told(case: Case, outcome: Outcome) -> Mapping[str, Any]:
    asked, scale = case.plan.demand.customers, case.scale
    series = {
        "calls": outcome.calls,
        "tokens": outcome.tokens,
        "handshakes": outcome.handshakes,
        "connections": outcome.connections,
        "redis_ops": outcome.redis_ops,
        "identity_queries": outcome.identity_queries,
        "refused": outcome.refused,
        "turned_away": outcome.turned_away,
    }
    return {
        "name": case.name,
        "sidecars": case.plan.sidecars,
        "scale": scale,
        "spread_s": None if case.rotation is None else case.rotation.spread_s,
        "warm": case.plan.warm,
        "world": asdict(case.plan.world),
        "demand": asdict(case.plan.demand),
        "peak": {name: scale * one.peak for name, one in series.items()},
        "total": {name: scale * one.total for name, one in series.items() if name != "connections"},
        "by_second": {
            name: [round(scale * series[name].seconds.get(second, 0)) for second in range(TOLD_S)]
            for name in PLOTTED_SERIES
            if case.name in PLOTTED
        },
        "questions": scale * outcome.questions,
        "degraded": outcome.share_degraded,
        "customers_degraded": outcome.share_of_customers_degraded,
        "answered": asked - scale * outcome.never_answered,
        "customers": asked,
        "last_answered_s": outcome.last_answered_s,
        "bypassed": scale * outcome.bypassed,
        "retried": scale * outcome.retried,
        "events": outcome.events,
    }


def outages(base: Plan, fleets: tuple[int, ...], whole_upto: int) -> Iterator[Case]:
    """Every fleet; each protection taken away by itself in fleets of up to `whole_upto`."""
    for number in fleets:
        plan = replace(base, sidecars=number)
        yield Case("all of it", plan)
        if number <= whole_upto:
            yield Case("memory, no shared cache", replace(plan, shared_cache=False))
            yield Case("no jitter", replace(plan, jitter=False))
            yield Case("no adaptive concurrency", replace(plan, adaptive=False))
            yield Case("no warm-up", replace(plan, warm=0))
            yield Case("never asked before", replace(plan, has_tokens=False))
        yield Case("none of the four", bare(plan))


def bare(plan: Plan) -> Plan:
    return replace(plan, shared_cache=False, jitter=False, adaptive=False, warm=0)


def levers(base: Plan, fleets: tuple[int, ...]) -> Iterator[Case]:
    """One setting moved: what matters most in every fleet, the others in one of 100."""
    for number in fleets:
        plan = replace(base, sidecars=number)
        together = replace(plan, connection=batching(plan))
        yield Case("`tmf.batch_style: comma`", together)
        sparing = connection(concurrency=max(1, 400 // number))
        yield Case(
            f"`wire.concurrency: {sparing.wire.concurrency}`", replace(plan, connection=sparing)
        )
    plan = replace(base, sidecars=100)
    world, cache = plan.world, plan.cache
    yield Case("`wire.concurrency: 16`", replace(plan, connection=connection(concurrency=16)))
    yield Case("`wire.concurrency: 1`", replace(plan, connection=connection(concurrency=1)))
    yield Case("`cache.ttl: 5m`", replace(plan, cache=cache.model_copy(update={"ttl": 300.0})))
    yield Case(
        "vendor twice as fast",
        replace(plan, world=replace(world, vendor_calls_per_s=2 * world.vendor_calls_per_s)),
    )
    yield Case(
        "vendor says 429",
        replace(plan, world=replace(world, vendor_limit_per_s=world.vendor_calls_per_s)),
    )


def batching(plan: Plan) -> Any:
    tmf = TmfProfile(batch_style="comma", batch_size=50)
    return plan.connection.model_copy(update={"tmf": tmf})


def rotations(base: Plan, fleets: tuple[int, ...]) -> Iterator[Case]:
    for number in fleets:
        for warm in (0, 4, 32):
            for spread_s in (0.0, 90.0):
                plan = replace(base, sidecars=number, warm=warm)
                rotating = Rotation(spread_s=spread_s)
                yield Case(f"{warm} warm, over {spread_s:g} s", plan, rotating)
        plan = replace(base, sidecars=number, jitter=False)
        yield Case("4 warm, over 0 s, no jitter", plan, Rotation(spread_s=0.0))
