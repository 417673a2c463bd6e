"""What came of the runs, in Markdown."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Told: TypeAlias = Mapping[str, Any]

MATRIX = (
    "all of it", "memory, no shared cache", "no jitter", "no adaptive concurrency", "no warm-up",
    "never asked before", "none of the four",
)  # fmt: skip
"""The cases of which every fleet has one."""
OUTAGE = (
    "fleet", "", "calls", "calls/s", "tokens/s", "identity/s", "handshakes/s",
    "connections", "Redis ops/s", "refused or turned away",
    "answers degraded", "customers degraded", "answered", "last at",
)  # fmt: skip
ROTATION = (
    "fleet", "", "handshakes/s", "tokens/s", "connections", "turned away", "answers degraded",
)  # fmt: skip


def tables(results: Sequence[Told]) -> str:
    words = "Most in any one second; shares are of the first answers."
    return "\n\n".join([words, *parts(results)])


def parts(results: Sequence[Told]) -> Sequence[str]:
    """The tables that there is something for: outages, outages with a setting moved, rotations."""
    rotations = [one for one in results if one["spread_s"] is not None]
    levers = [one for one in results if one["spread_s"] is None and one["name"] not in MATRIX]
    matrix = [one for one in results if one["spread_s"] is None and one["name"] in MATRIX]
    told = (
        table(OUTAGE, [_outage(one) for one in matrix]) if matrix else "",
        table(OUTAGE, [_outage(one) for one in levers]) if levers else "",
        table(ROTATION, [_rotation(one) for one in rotations]) if rotations else "",
    )
    return [one for one in told if one]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _outage(one: Told) -> list[str]:
    peak, total = one["peak"], one["total"]
    return [
        _number(one["sidecars"]),
        one["name"],
        _number(total["calls"]),
        *(_number(peak[name]) for name in (
            "calls", "tokens", "identity_queries", "handshakes", "connections", "redis_ops")),
        _number(total["refused"] + total["turned_away"]),
        f"{one['degraded']:.0%}",
        f"{one['customers_degraded']:.0%}",
        f"{one['answered'] / one['customers']:.0%}",
        f"{one['last_answered_s']:.0f} s",
    ]  # fmt: skip


def _rotation(one: Told) -> list[str]:
    peak = one["peak"]
    return [
        _number(one["sidecars"]),
        one["name"],
        *(_number(peak[name]) for name in ("handshakes", "tokens", "connections")),
        _number(one["total"]["turned_away"]),
        f"{one['degraded']:.1%}",
    ]


def main(files: Sequence[str]) -> None:
    """Of results that were kept."""
    results = [one for file in files for one in json.loads(Path(file).read_text(encoding="utf-8"))]
    sys.stdout.write(tables(results) + "\n")


def _number(value: float) -> str:
    return f"{value:,.0f}"


if __name__ == "__main__":
    main(sys.argv[1:])
