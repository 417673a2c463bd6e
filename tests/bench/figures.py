"""Figures, and how they are judged. Pure: what was measured goes in, words and verdicts come out.

A *sample* is one figure, measured once in each round. A *row* is what one contender showed. A
*target* is a line of the promise; its *verdict* knows the run's own noise.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

Measured: TypeAlias = Sequence[float]
UNITS: Mapping[str, tuple[str, int]] = {
    "cpu_us": ("CPU, µs", 1),
    "cpu_ms": ("CPU, ms", 2),
    "p50_us": ("p50, µs", 0),
    "p50_ms": ("p50, ms", 2),
    "p95_ms": ("p95, ms", 2),
    "p99_ms": ("p99, ms", 2),
    "per_s": ("per second", 0),
    "rss_mib": ("RSS, MiB", 1),
    "pss_mib": ("PSS, MiB", 1),
    "wall_s": ("wall, s", 3),
    "share_pct": ("% of a core", 2),
    "hits_pct": ("hits, %", 1),
    "count": ("count", 0),
}
"""Name of a figure → its heading with the unit, and digits after the point.

Any other name is shown as it is, with two digits.
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure, once for each round; at least one round, in the order they were measured."""

    rounds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.rounds:
            raise ValueError("a sample has at least one round")

    @classmethod
    def of(cls, rounds: Measured | float) -> "Sample":
        return cls((float(rounds),) if isinstance(rounds, int | float) else tuple(rounds))

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def low(self) -> float:
        """The first quartile."""
        return self._quartile(0)

    @property
    def high(self) -> float:
        """The third quartile."""
        return self._quartile(2)

    def over(self, other: "Sample") -> "Sample":
        """The ratio, round by round: both sides of a round saw the same machine.

        Raises `ValueError` when the other has other rounds.
        """
        return self._with(other, lambda mine, theirs: mine / theirs)

    def minus(self, other: "Sample") -> "Sample":
        """The difference, round by round."""
        return self._with(other, lambda mine, theirs: mine - theirs)

    def times(self, factor: float) -> "Sample":
        return Sample(tuple(one * factor for one in self.rounds))

    def _with(self, other: "Sample", fold: Callable[[float, float], float]) -> "Sample":
        if len(self.rounds) != len(other.rounds):
            raise ValueError("rounds are compared one by one")
        return Sample(tuple(map(fold, self.rounds, other.rounds)))

    def _quartile(self, which: int) -> float:
        if len(self.rounds) == 1:
            return self.rounds[0]
        return statistics.quantiles(self.rounds, n=4, method="inclusive")[which]


class Outcome(StrEnum):
    MET = "met"
    NOISE = "missed within noise"
    """The median misses, and a quarter of the rounds or more do not."""
    MISSED = "missed"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a target."""

    outcome: Outcome
    excess: float = 0.0
    """By how much of the limit the median misses it; nothing where it is met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One line of the promise."""

    name: str
    """Short and unique: under it a measure hands in what it found."""
    what: str
    """As the table says it."""
    limit: float
    unit: str = "×"
    at_least: bool = False
    """Whether more is better."""
    digits: int = 2

    def judge(self, measured: Sample | None) -> Verdict:
        """Missed by more than the noise: more than three quarters of the rounds miss it."""
        if measured is None:
            return Verdict(Outcome.UNKNOWN)
        middle, best = measured.median, measured.high if self.at_least else measured.low
        if self._holds(middle):
            return Verdict(Outcome.MET)
        excess = abs(middle - self.limit) / abs(self.limit) if self.limit else abs(middle)
        return Verdict(Outcome.NOISE if self._holds(best) else Outcome.MISSED, excess)

    def words(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.show(self.limit)}"

    def show(self, figure: float) -> str:
        return f"{figure:,.{self.digits}f} {self.unit}".rstrip()

    def _holds(self, figure: float) -> bool:
        return figure >= self.limit if self.at_least else figure <= self.limit


@dataclass(frozen=True, slots=True)
class Row:
    """What one contender showed."""

    contender: str
    figures: Mapping[str, Sample] = field(default_factory=dict)
    """By a name of `UNITS`."""
    note: str = ""
    """Why there are no figures, or what to know about them."""
    ratios: Mapping[str, Sample] = field(default_factory=dict)
    """By what it is a ratio of: shown first."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What one measure found."""

    rows: Sequence[Row]
    measured: Mapping[str, Sample] = field(default_factory=dict)
    """By the name of a target."""
    notes: Sequence[str] = ()


def shown(name: str, sample: Sample) -> str:
    """Median and quartiles, such as `102.3 (99.8–104.1)`."""
    digits = UNITS.get(name, (name, 2))[1]
    if len(sample.rounds) == 1:
        return f"{sample.median:,.{digits}f}"
    return f"{sample.median:,.{digits}f} ({sample.low:,.{digits}f}–{sample.high:,.{digits}f})"


def as_json(findings: Findings, targets: Sequence[Target]) -> dict[str, Any]:
    """Every round of every figure, so that another judge can come to another verdict."""
    return {
        "rows": [
            {
                "contender": row.contender,
                "note": row.note,
                "figures": {name: _summary(one) for name, one in row.figures.items()},
                "ratios": {name: _summary(one) for name, one in row.ratios.items()},
            }
            for row in findings.rows
        ],
        "targets": [_judged(target, findings.measured.get(target.name)) for target in targets],
        "notes": list(findings.notes),
    }


def from_json(told: Mapping[str, Any]) -> Findings:
    """What `as_json` told."""
    rows = [
        Row(one["contender"], _samples(one["figures"]), one["note"], _samples(one["ratios"]))
        for one in told["rows"]
    ]
    judged = {one["name"]: one["measured"] for one in told["targets"] if one["measured"]}
    return Findings(rows, _samples(judged), told["notes"])


def _samples(told: Mapping[str, Any]) -> dict[str, Sample]:
    return {name: Sample.of(one["rounds"]) for name, one in told.items()}


def _judged(target: Target, measured: Sample | None) -> dict[str, Any]:
    verdict = target.judge(measured)
    return {
        "name": target.name,
        "what": target.what,
        "target": target.words(),
        "measured": _summary(measured) if measured else None,
        "outcome": str(verdict.outcome),
        "excess": round(verdict.excess, 4),
    }


def _summary(sample: Sample) -> dict[str, Any]:
    return {
        "median": _rounded(sample.median),
        "quartiles": [_rounded(sample.low), _rounded(sample.high)],
        "rounds": [_rounded(one) for one in sample.rounds],
    }


def _rounded(figure: float) -> float:
    return float(f"{figure:.5g}")
