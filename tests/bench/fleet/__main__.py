"""`make fleet`: a fleet by simulation, or (`CHECK=1`) the simulation beside real sidecars."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench.fleet.cases import FLEETS, levers, outages, rotations
from tests.bench.fleet.plan import Demand, Plan, World
from tests.bench.fleet.tables import tables

QUICK_SHARE = 10
"""The quick run plays an outage and a vendor so many times smaller than the whole one."""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> None:
    asked = parser().parse_args(arguments)
    if asked.check:
        from tests.bench.fleet.check import check  # noqa: PLC0415  (it needs a Redis and processes)

        say(check())
        return
    base, fleets = plan_of(asked), tuple(asked.sidecars or FLEETS)
    cases = [*outages(base, fleets, 10_000 if asked.full else 0)]
    cases += [*levers(base)] if asked.full or asked.sidecars is None else []
    cases += [*rotations(base, fleets if asked.full or asked.sidecars else (100, 1_000))]
    results = []
    for case in cases:
        results.append(case.play())
        say(f"{len(results)} of {len(cases)}: {case.plan.sidecars} sidecars, {case.name}")
        if asked.json:
            asked.json.write_text(json.dumps(results), encoding="utf-8")
    say("")
    say(tables(results))


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
    return Plan(world=World(**rates), demand=replace(demand, customers=customers), seed=asked.seed)


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(prog="python -m tests.bench.fleet", description=__doc__)
    add = arguments.add_argument
    add("--full", action="store_true", help="100,000 customers, and every case")
    add("--check", action="store_true", help="beside real sidecars")
    add("--sidecars", type=int, action="append", help="fleets of this size, instead of all four")
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
