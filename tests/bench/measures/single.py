"""One customer, from the cache: beside the least that an aiohttp handler can do."""

from collections.abc import Mapping

from tests.bench.contenders.seeding import CUSTOMERS, bare
from tests.bench.figures import Findings, Row, Sample, Target
from tests.bench.load import Ask, Load
from tests.bench.measures import Measure
from tests.bench.mounted import Setting
from tests.bench.stage import HIT, PATIENT, Burst, SidecarUnderMeasure, Stage
from tests.bench.vendor_rows import customer, fee

BUSY = 64
BARE_GET = "bare aiohttp + one GET"
BARE_FIXED = "bare aiohttp, a fixed answer"

CPU = Target(
    name="single-redis-cpu",
    what=f"cached single lookup from Redis, {BUSY} connections: CPU beside {BARE_GET}",
    limit=0.65,
)
P50 = Target(
    name="single-redis-p50",
    what=f"cached single lookup from Redis, 1 connection: p50 beside {BARE_GET}",
    limit=1.15,
)
MEMORY = Target(
    name="single-memory-cpu",
    what=f"cached single lookup from the memory store, {BUSY} connections: CPU beside {BARE_FIXED}",
    limit=1.5,
)
MEMORY_P50 = Target(
    name="single-memory-p50",
    what=f"cached single lookup from the memory store, 1 connection: p50 beside {BARE_FIXED}",
    limit=1.5,
)


def singles(sidecar: SidecarUnderMeasure, *, numbers: int = CUSTOMERS) -> list[Ask]:
    """About each of the customers, one by one; what the answer holds is checked."""
    return [
        Ask.get(
            f"/v1/customers/{customer(n)}/billing-account",
            headers=sidecar.headers,
            holds=f'"monthly_fee":{float(fee(n))}'.encode(),
        )
        for n in range(numbers)
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
        "sidecar, Redis": (shared.program, shared.data_port, singles(shared)),
        BARE_GET: (least.program, least.port, least.get),
        "sidecar, memory store": (alone.program, alone.data_port, singles(alone)),
        BARE_FIXED: (least.program, least.port, least.fixed),
    }
    bursts: dict[str, Burst] = {}
    for connections in (BUSY, 1):
        for name, (program, at, asks) in asked.items():
            load = Load(
                port=at,
                asks=asks,
                connections=connections,
                seconds=1.0 if stage.full else 0.5,
                counts=b"" if program is least.program else HIT,
            )
            bursts[_called(name, connections)] = stage.burst(program, load)
    return _found(await stage.in_turn(rounds, bursts))


def _called(name: str, connections: int) -> str:
    return f"{name}; {connections} connection{'s' if connections > 1 else ''}"


def _found(seen: Mapping[str, Mapping[str, Sample]]) -> Findings:
    pairs = {"sidecar, Redis": BARE_GET, "sidecar, memory store": BARE_FIXED}
    measured: dict[str, Sample] = {}
    rows: list[Row] = []
    for connections in (BUSY, 1):
        for ours, theirs in pairs.items():
            us, them = seen[_called(ours, connections)], seen[_called(theirs, connections)]
            cpu, p50 = (us[one].over(them[one]) for one in ("cpu_us", "p50_ms"))
            ratios = {"CPU": cpu, "p50": p50}
            rows.append(Row(_called(ours, connections), us, f"× {theirs}", ratios))
            rows.append(Row(_called(theirs, connections), them))
            if connections == BUSY:
                measured[(CPU if theirs is BARE_GET else MEMORY).name] = cpu
            else:
                measured[(P50 if theirs is BARE_GET else MEMORY_P50).name] = p50
    return Findings(rows, measured)


MEASURES = (
    Measure(
        name="single",
        title="One customer, from the cache",
        targets=(CPU, P50, MEMORY, MEMORY_P50),
        run=_run,
        rounds=(5, 17),
        about_s=(45, 200),
        plot="cpu_us",
    ),
)
