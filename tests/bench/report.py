"""What a run found, in words for people: a table of targets, a table for each measure, a plot.

Pure: the page goes in and comes out. What stands outside the markers was written by hand and stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.figures import (
    UNITS,
    Findings,
    Outcome,
    Row,
    Sample,
    Target,
    as_json,
    from_json,
    shown,
)

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
"""Of what `make bench` writes."""
SIGNS: Mapping[Outcome, str] = {
    Outcome.MET: "met",
    Outcome.NOISE: "within noise",
    Outcome.MISSED: "**missed**",
    Outcome.UNKNOWN: "not measured",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measure that was run."""

    name: str
    title: str
    targets: Sequence[Target]
    findings: Findings
    trouble: str = ""
    """Why there are no findings."""
    plot: str = ""
    rounds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All of a run."""

    facts: Mapping[str, str]
    """The machine, the versions, when, how long."""
    measures: Sequence[Measured]
    plots: Mapping[str, str] = field(default_factory=dict)
    """Link to an image, by the name of a measure."""


def document(run: Run) -> dict[str, Any]:
    """For `benchmarks.json`."""
    return {
        "facts": dict(run.facts),
        "measures": {
            one.name: {
                "title": one.title,
                "rounds": one.rounds,
                "trouble": one.trouble,
                "plot": one.plot,
                **as_json(one.findings, one.targets),
            }
            for one in run.measures
        },
    }


def loaded(told: Mapping[str, Any], targets: Mapping[str, Sequence[Target]]) -> Run:
    """What `document` told. `targets`: of each measure, as they are promised now."""
    measures = [
        Measured(
            name=name,
            title=one["title"],
            targets=targets.get(name, ()),
            findings=from_json(one),
            trouble=one["trouble"],
            rounds=one["rounds"],
            plot=one["plot"],
        )
        for name, one in told["measures"].items()
    ]
    return Run(facts=told["facts"], measures=measures)


def rewritten(page: str, run: Run) -> str:
    """The page with new figures. Raises `ValueError` when the markers are not there."""
    before, begins, rest = page.partition(BEGIN)
    _, ends, after = rest.partition(END)
    if not begins or not ends:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{markdown(run)}\n{END}{after}"


def markdown(run: Run) -> str:
    parts = [_facts(run.facts), targets_table(run.measures)]
    parts += [_section(one, run.plots.get(one.name)) for one in run.measures]
    return "\n".join(parts)


def targets_table(measures: Sequence[Measured]) -> str:
    """One line for each promise: what was measured stands before what was promised."""
    lines = ["### The targets", "", "| what | measured | target | |", "|---|---|---|---|"]
    for one in measures:
        for target in one.targets:
            sample = one.findings.measured.get(target.name)
            told = _told(target, sample)
            sign = SIGNS[target.judge(sample).outcome]
            lines.append(f"| {target.what} | {told} | {target.words()} | {sign} |")
    return "\n".join([*lines, ""])


def judged(measures: Sequence[Measured], *outcomes: Outcome) -> list[str]:
    """A line for each target with such an outcome: which, and by how much."""
    lines = []
    for one in measures:
        for target in one.targets:
            sample = one.findings.measured.get(target.name)
            verdict = target.judge(sample)
            if verdict.outcome not in outcomes:
                continue
            told = f"{target.what}: {_told(target, sample)}, target {target.words()}"
            if verdict.excess:
                told += f" ({verdict.excess:.0%} {'short' if target.at_least else 'over'})"
            lines.append(f"{verdict.outcome}: {told}")
    return lines


def table(rows: Sequence[Row]) -> str:
    """Ratios first, then what they are made of; a contender that is absent says why."""
    ratios = _names(row.ratios for row in rows)
    figures = _names(row.figures for row in rows)
    headings = ["", *ratios, *(UNITS.get(one, (one, 0))[0] for one in figures)]
    lines = [_line(headings), _line(["---", *("--:" for _ in headings[1:])])]
    for row in rows:
        name = row.contender + (f" ({row.note})" if row.note else "")
        cells = [_cell("", row.ratios.get(one), " ×") for one in ratios]
        cells += [_cell(one, row.figures.get(one)) for one in figures]
        lines.append(_line([name, *cells]))
    return "\n".join([*lines, ""])


def _section(one: Measured, plot: str | None) -> str:
    parts = [f"### {one.title}", ""]
    if one.trouble:
        return "\n".join([*parts, f"Not measured: {one.trouble}", ""])
    if plot:
        parts += [f"![{one.title}]({plot})", ""]
    parts += [f"`{one.name}`, {one.rounds} rounds.", "", table(one.findings.rows)]
    for note in one.findings.notes:
        parts += [note, ""]
    return "\n".join(parts)


def _facts(facts: Mapping[str, str]) -> str:
    lines = ["| | |", "|---|---|", *(f"| {name} | {told} |" for name, told in facts.items()), ""]
    return "\n".join(lines)


def _told(target: Target, sample: Sample | None) -> str:
    if sample is None:
        return "–"
    low, high = (f"{one:,.{target.digits}f}" for one in (sample.low, sample.high))
    return target.show(sample.median) + (f" ({low}–{high})" if len(sample.rounds) > 1 else "")


def _names(many: Any) -> list[str]:
    """In the order in which they come first."""
    return list(dict.fromkeys(name for one in many for name in one))


def _cell(name: str, sample: Sample | None, unit: str = "") -> str:
    return "" if sample is None else shown(name, sample) + unit


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
