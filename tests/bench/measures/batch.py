"""Two hundred customers, all from the cache: beside one MGET that is unsealed and added up."""

from tests.bench.contenders.seeding import CUSTOMERS, bare, customers
from tests.bench.figures import Findings, Row, Target
from tests.bench.load import Ask, Load
from tests.bench.measures import Measure
from tests.bench.mounted import Setting
from tests.bench.stage import HIT, PATIENT, Burst, SidecarUnderMeasure, Stage
from tests.bench.vendor_rows import fee

BARE_MGET = "bare aiohttp + one MGET, unsealing, summing"
BUSY = 8

P50 = Target(
    name="batch-redis-p50",
    what=f"batch of {CUSTOMERS}, all cached in Redis: p50 beside {BARE_MGET}",
    limit=1.5,
)


def batch(sidecar: SidecarUnderMeasure) -> list[Ask]:
    """All customers at once; their total is checked."""
    total = float(sum(fee(n) for n in range(CUSTOMERS)))
    return [
        Ask.post(
            "/v1/revenue-at-risk",
            {"customer_ids": list(customers())},
            headers=sidecar.headers,
            holds=f'"total_revenue_at_risk":{total}'.encode(),
        )
    ]


async def _run(stage: Stage, rounds: int) -> Findings:
    redis = await stage.redis()
    (port,) = await stage.vendor("0ms")
    shared = await stage.sidecar(
        "shared", Setting(vendor_port=port, redis_url=redis.url), more=PATIENT
    )
    alone = await stage.sidecar("alone", Setting(vendor_port=port))
    least = await bare(stage, redis)
    asked = {
        "sidecar, Redis": (shared.program, shared.data_port, batch(shared)),
        BARE_MGET: (least.program, least.port, least.mget),
        "sidecar, memory store": (alone.program, alone.data_port, batch(alone)),
    }
    bursts: dict[str, Burst] = {}
    for connections in (1, BUSY):
        for name, (program, at, asks) in asked.items():
            # Some answers before: the first one is about nobody known, and fills the cache.
            load = Load(
                port=at,
                asks=asks,
                connections=connections,
                seconds=1.2 if stage.full else 0.7,
                warm=4 * connections,
                counts=b"" if program is least.program else HIT,
            )
            bursts[_called(name, connections)] = stage.burst(program, load)
    seen = await stage.in_turn(rounds, bursts)
    rows = []
    for connections in (1, BUSY):
        them = seen[_called(BARE_MGET, connections)]
        for name in asked:
            us = seen[_called(name, connections)]
            ratios = {"CPU": us["cpu_us"].over(them["cpu_us"])}
            ratios["p50"] = us["p50_ms"].over(them["p50_ms"])
            is_them = name == BARE_MGET
            rows.append(Row(_called(name, connections), us, "", {} if is_them else ratios))
    return Findings(rows, {P50.name: rows[0].ratios["p50"]})


def _called(name: str, connections: int) -> str:
    return f"{name}; {connections} at once"


MEASURES = (
    Measure(
        name="batch",
        title=f"{CUSTOMERS} customers, all from the cache",
        targets=(P50,),
        run=_run,
        rounds=(4, 15),
        about_s=(35, 155),
        plot="cpu_us",
    ),
)
