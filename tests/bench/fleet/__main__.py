"""`make fleet`: a fleet by simulation, or (`CHECK=1`) the simulation beside real sidecars."""

import argparse
import gc
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench.fleet.cases import FLEETS, Case, levers, outages, rotations
from tests.bench.fleet.plan import Demand, Plan, World
from tests.bench.fleet.tables import tables

QUICK_SHARE = 10
"""The quick run plays an outage and a vendor so many times smaller than the whole one."""

LARGEST, SCALE = 1_000, 10
"""Of more sidecars than that, one of so many is played."""
PARTS = ("outages", "levers", "rotations")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    asked = parser().parse_args(arguments)
    if asked.check:
        from tests.bench.fleet.check import check  # noqa: PLC0415  (it needs a Redis and processes)

        say(check())
        return
    gc.disable()  # looking for cycles in what lives for a whole run took a third of the time
    cases = cases_of(asked)
    results = []
    for case in cases:
        results.append(case.play())
        gc.collect()
        say(f"{len(results)} of {len(cases)}: {case.plan.sidecars} sidecars, {case.name}")
        if asked.json:
            asked.json.write_text(json.dumps(results), encoding="utf-8")
    say("")
    say(tables(results))


def cases_of(asked: argparse.Namespace) -> list[Case]:
    """The whole table with `--full`; else what two minutes allow."""
    base, fleets = plan_of(asked), tuple(asked.sidecars or FLEETS)
    parts = asked.only or PARTS
    cases: list[Case] = []
    if "outages" in parts:
        cases += outages(base, fleets, 10_000 if asked.full else asked.each)
    if "levers" in parts:
        cases += levers(base, fleets if asked.full else (100,))
    if "rotations" in parts:
        cases += rotations(base, fleets if asked.full or asked.sidecars else (100, 1_000))
    return cases if asked.whole else [sized(one) for one in cases]


def sized(case: Case) -> Case:
    return replace(case, scale=SCALE) if case.plan.sidecars > LARGEST else case


def plan_of(asked: argparse.Namespace) -> Plan:
    share = 1 if asked.full or asked.customers else QUICK_SHARE
    usual, demand = World(), Demand()
    rates = {
        "vendor_calls_per_s": asked.vendor_calls_per_s or usual.vendor_calls_per_s / share,
        "vendor_connections": asked.vendor_connections or usual.vendor_connections // share,
        "handshakes_per_s": asked.handshakes_per_s or usual.handshakes_per_s / share,
        "tokens_per_s": asked.tokens_per_s or usual.tokens_per_s / share,
        "redis_ops_per_s": asked.redis_ops_per_s or usual.redis_ops_per_s / share,
        "vendor_latency_s": asked.vendor_latency_ms / 1000,
    }
    customers = asked.customers or demand.customers // share
    again = {"again_s": 0.0} if asked.once else {}
    demand = replace(demand, customers=customers, **again)
    return Plan(world=World(**rates), demand=demand, seed=asked.seed)


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="python -m tests.bench.fleet", description=__doc__)
    add = arguments.add_argument
    add("--full", action="store_true", help="100,000 customers, and every case")
    add("--check", action="store_true", help="beside real sidecars")
    add("--sidecars", type=int, action="append", help="fleets of this size, instead of all four")
    add("--each", type=int, default=0, help="each protection by itself in fleets up to this size")
    add("--whole", action="store_true", help="also large fleets sidecar by sidecar")
    add("--once", action="store_true", help="no pod asks again after a degraded answer")
    add("--only", action="append", choices=PARTS, help="this part; may be given again")
    add("--customers", type=int, help="who are hit")
    add("--vendor-calls-per-s", type=float)
    add("--vendor-latency-ms", type=float, default=World().vendor_latency_s * 1000)
    add("--vendor-connections", type=int)
    add("--handshakes-per-s", type=float)
    add("--tokens-per-s", type=float)
    add("--redis-ops-per-s", type=float)
    add("--seed", type=int, default=1)
    add("--json", type=Path, help="file for what came of it")
    return arguments


if __name__ == "__main__":
    main()
