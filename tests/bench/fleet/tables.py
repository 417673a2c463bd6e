"""What came of the runs, in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Told: TypeAlias = Mapping[str, Any]

OUTAGE = (
    "fleet", "", "calls/s", "tokens/s", "identity/s", "handshakes/s", "connections", "Redis ops/s",
    "refused or turned away", "answers degraded", "customers degraded", "answered", "last at",
)  # fmt: skip
ROTATION = (
    "fleet", "", "handshakes/s", "tokens/s", "connections", "turned away", "answers degraded",
)  # fmt: skip


def tables(results: Sequence[Told]) -> str:
    outages = [one for one in results if one["spread_s"] is None]
    rotations = [one for one in results if one["spread_s"] is not None]
    parts = ["Most in any one second; shares are of the first answers."]
    parts.append(table(OUTAGE, [_outage(one) for one in outages]))
    if rotations:
        parts.append(table(ROTATION, [_rotation(one) for one in rotations]))
    return "\n\n".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _outage(one: Told) -> list[str]:
    peak, total = one["peak"], one["total"]
    return [
        _number(one["sidecars"]),
        one["name"],
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


def _number(value: float) -> str:
    return f"{value:,.0f}"
