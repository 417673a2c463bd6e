"""A batch of 200 of whom nothing is kept, beside the time that the vendor alone needs for it.

With 64 exchanges in flight, 200 customers one by one take the vendor four times its latency; four
queries for 50 each take it once. What is more is the sidecar's.
"""

import asyncio
import json
import statistics
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from functools import partial
from itertools import count

from tests.bench.asking_miss import Pairs
from tests.bench.figures import Findings, Row, Sample, Target
from tests.bench.lab import Lab, Sidecar, Strangers, laboratory
from tests.bench.load import Seen, WrongAnswers
from tests.bench.measures import Measure
from tests.bench.mounted import CUSTOMERS, TENANT, Setting
from tests.bench.stage import Stage
from tests.bench.talking import Talker, talking

IN_FLIGHT = 64
EACH_ROUND = 3
"""Batches of one contender in one round."""
OPENING = 3
"""Batches before, after which every connection is open."""
KEPT_WAITING = "kept waiting by others, ms"
_FAST, _SLOW = "20ms", "50ms"
_ROTATED_S = 20.0
_WARMED_S, _POLL_S = 20.0, 0.05

ONE_BY_ONE, SLOWER, FILTERED = "one by one, 20 ms", "one by one, 50 ms", "filters of 50, 20 ms"
IDEAL_MS: Mapping[str, float] = {ONE_BY_ONE: 80.0, SLOWER: 200.0, FILTERED: 20.0}
TARGETS = (
    Target(
        name="uncached_20ms",
        what="batch of 200, nothing cached, warm pool, vendor 20 ms, one call per customer: p50",
        limit=1.3,
        unit="× 80 ms",
    ),
    Target(name="uncached_50ms", what="the same, vendor 50 ms", limit=1.12, unit="× 200 ms"),
    Target(
        name="uncached_filters",
        what="the same with filter batches of 50, vendor 20 ms",
        limit=1.6,
        unit="× 20 ms",
    ),
)
AFTER_START = Target(
    name="uncached_after_start",
    what="the first batch after a start, with the warm-up set to 64",
    limit=1.3,
    unit="× warm",
)
AFTER_ROTATION = Target(
    name="uncached_after_rotation",
    what="the first batch after a certificate rotation, with the warm-up set to 64",
    limit=1.3,
    unit="× warm",
)
MISS_P50 = Target(
    name="uncached_miss_p50",
    what="miss, 1 connection: time added over a direct aiohttp mTLS call: p50",
    limit=0.4,
    unit="ms",
)
MISS_P99 = Target(name="uncached_miss_p99", what="the same: p99", limit=0.9, unit="ms")
PAIRS = 250
"""Of a miss and a direct call, in one round."""
_AT_ONCE = "0ms"
_SIDES = ("through", "direct")


def warm_up() -> Mapping[str, Mapping[str, int]]:
    """Settings of a connection that have as many connections opened before they are needed."""
    return {"wire": {"warm_connections": IN_FLIGHT}}


async def _warm(stage: Stage, rounds: int) -> Findings:
    lab = await laboratory(stage, _FAST, _SLOW)
    async with AsyncExitStack() as up:
        fast, slow = lab.doors[_FAST], lab.doors[_SLOW]
        wanted = {
            ONE_BY_ONE: Setting(vendor_port=fast, redis_url=lab.redis_url),
            SLOWER: Setting(vendor_port=slow, redis_url=lab.redis_url),
            FILTERED: Setting(vendor_port=fast, redis_url=lab.redis_url, batches=50),
        }
        asked: dict[str, Callable[[], Awaitable[Mapping[str, float]]]] = {}
        for number, (name, setting) in enumerate(wanted.items()):
            sidecar = await up.enter_async_context(lab.sidecar(f"sidecar{number}", setting))
            strangers = _shared_out(number, len(wanted))
            await lab.asked(sidecar, strangers.batches(OPENING))
            asked[name] = partial(_round, lab, sidecar, strangers)
        seen = await stage.in_turn(rounds, asked)
    beside = {name: one["p50_ms"].times(1 / IDEAL_MS[name]) for name, one in seen.items()}
    rows = [Row(name, one, ratios={"ideal": beside[name]}) for name, one in seen.items()]
    named = zip(TARGETS, (ONE_BY_ONE, SLOWER, FILTERED), strict=True)
    return Findings(rows, {target.name: beside[name] for target, name in named})


def _shared_out(number: int, of: int) -> Strangers:
    """They share a Redis: whom one has asked about is no stranger to the next."""
    share = CUSTOMERS // of
    return Strangers(number * share, (number + 1) * share)


async def _round(lab: Lab, sidecar: Sidecar, strangers: Strangers) -> Mapping[str, float]:
    spent_s, waited_s = sidecar.program.cpu_s(), sidecar.waited_s()
    seen = await lab.asked(sidecar, strangers.batches(EACH_ROUND))
    each = 1_000 / seen.count
    return {
        "p50_ms": seen.all.p50_ms,
        "cpu_ms": (sidecar.program.cpu_s() - spent_s) * each,
        KEPT_WAITING: (sidecar.waited_s() - waited_s) * each,
    }


async def _after(stage: Stage, rounds: int) -> Findings:
    """Each round is a start of its own: warm once, rotated once."""
    lab = await laboratory(stage, _FAST)
    strangers = Strangers()
    contenders = {
        "warm-up as it comes": _setting(lab, {}),
        "warm-up set to 64": _setting(lab, warm_up()),
    }
    seen = await stage.in_turn(
        rounds, {name: partial(_life, lab, strangers, one) for name, one in contenders.items()}
    )
    rows = [
        Row(
            name,
            {"after_start_ms": one["start_ms"], "after_rotation_ms": one["rotation_ms"]},
            ratios={
                "warm, after start": one["start_ms"].over(one["warm_ms"]),
                "warm, after rotation": one["rotation_ms"].over(one["warm_ms"]),
            },
        )
        for name, one in seen.items()
    ]
    return Findings(rows, _judged(seen["warm-up set to 64"]))


def _judged(one: Mapping[str, Sample]) -> Mapping[str, Sample]:
    return {
        AFTER_START.name: one["start_ms"].over(one["warm_ms"]),
        AFTER_ROTATION.name: one["rotation_ms"].over(one["warm_ms"]),
    }


def _setting(lab: Lab, more: Mapping[str, Mapping[str, int]]) -> Setting:
    return Setting(vendor_port=lab.doors[_FAST], redis_url=lab.redis_url, connection=more)


async def _life(lab: Lab, strangers: Strangers, setting: Setting) -> Mapping[str, float]:
    """One sidecar: its first batch, warm ones, and the first with another certificate."""
    async with lab.sidecar("life", setting) as sidecar:
        await _warmed(lab, sidecar, setting)
        start = await lab.asked(sidecar, strangers.batches(1))
        await lab.asked(sidecar, strangers.batches(OPENING))
        warm = await lab.asked(sidecar, strangers.batches(2 * EACH_ROUND))
        before = sidecar.program.said().count('"reloaded"')
        lab.stage.mounted.rotate()
        await sidecar.program.until(
            lambda said: said.count('"reloaded"') > before, within_s=_ROTATED_S
        )
        rotation = await lab.asked(sidecar, strangers.batches(1))
    times: Sequence[tuple[str, Seen]] = (
        ("start_ms", start), ("warm_ms", warm), ("rotation_ms", rotation),
    )  # fmt: skip
    return {name: one.all.p50_ms for name, one in times}


async def _warmed(lab: Lab, sidecar: Sidecar, setting: Setting) -> None:
    """Ready does not wait for a vendor, so a moment after it is not yet what is promised."""
    wanted = setting.connection.get("wire", {}).get("warm_connections", 0)
    async with asyncio.timeout(_WARMED_S):
        while await lab.metric(sidecar, "bss_sidecar_open_connections") < wanted:  # noqa: ASYNC110  (it is another process)
            await asyncio.sleep(_POLL_S)


async def _miss(stage: Stage, rounds: int) -> Findings:
    """A vendor that answers at once: its latency would be in both, and its noise in the rest."""
    lab = await laboratory(stage, _AT_ONCE)
    setting = Setting(vendor_port=lab.doors[_AT_ONCE], redis_url=lab.redis_url)
    numbers = count(0, PAIRS)
    async with (
        lab.sidecar("miss", setting, strict=False) as sidecar,
        talking("tests.bench.asking_miss", stage.cores.load) as talker,
    ):
        once = partial(_pairs, lab, sidecar, talker, numbers)
        await once()
        seen = (await stage.in_turn(rounds, {"miss": once}))["miss"]
    rows = [
        Row(side, {name: seen[f"{side} {name}"] for name in ("p50_ms", "p99_ms")})
        for side in _SIDES
    ]
    through, direct = _SIDES
    return Findings(
        rows,
        {
            MISS_P50.name: seen[f"{through} p50_ms"].minus(seen[f"{direct} p50_ms"]),
            MISS_P99.name: seen[f"{through} p99_ms"].minus(seen[f"{direct} p99_ms"]),
        },
    )


async def _pairs(
    lab: Lab, sidecar: Sidecar, talker: Talker, numbers: Iterator[int]
) -> Mapping[str, float]:
    pairs = Pairs(
        url=sidecar.urls["data"],
        vendor_url=f"https://localhost:{lab.doors[_AT_ONCE]}",
        tenant=TENANT,
        folder=str(lab.stage.mounted.folder),
        first=next(numbers) % (CUSTOMERS - PAIRS),
        count=PAIRS,
    )
    told = json.loads(await talker.ask(json.dumps(asdict(pairs))))
    if len(told["unanswered"]) > PAIRS // 20:
        raise WrongAnswers(f"{len(told['unanswered'])} of {PAIRS} got no answer")
    return {
        f"{side} {name}": statistics.quantiles(told[side], n=100)[at - 1]
        for side in _SIDES
        for name, at in (("p50_ms", 50), ("p99_ms", 99))
    }


MEASURES = (
    Measure(
        name="uncached",
        title="A batch of 200 of whom nothing is kept, over a warm pool",
        targets=TARGETS,
        run=_warm,
        rounds=(5, 15),
        about_s=(25, 60),
        plot="p50_ms",
    ),
    Measure(
        name="unwarmed",
        title="The first batch after a start, and after a certificate rotation",
        targets=(AFTER_START, AFTER_ROTATION),
        run=_after,
        rounds=(3, 9),
        about_s=(30, 90),
    ),
    Measure(
        name="miss",
        title="One customer of whom nothing is kept, and a direct call, in turn",
        targets=(MISS_P50, MISS_P99),
        run=_miss,
        rounds=(7, 21),
        about_s=(15, 35),
    ),
)
