"""Reports for a person, and for a program."""

import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from proxy.check import Paint
from proxy.doctor.findings import Report, Reports, State, Step

_WIDTH = 100
_INDENT, _LABEL = 6, 8
_MARKS = {State.GOOD: "✓", State.DOUBTFUL: "!", State.BAD: "✗", State.SKIPPED: "·"}


def report_lines(report: Report, paint: Paint) -> Iterator[str]:
    yield ""
    yield f"{report.connection}  {paint.quiet(report.vendor)}"
    width = max((len(step.name) for step in report.steps), default=0)
    for step in report.steps:
        yield from _step_lines(step, width, paint)


def verdict(reports: Reports, paint: Paint) -> str:
    ill = [report.connection for report in reports.every if not report.is_good]
    doubts = sum(report.count(State.DOUBTFUL) for report in reports.every)
    warned = f", {_count(doubts, 'warning')}" if doubts else ""
    examined = _count(len(reports.connections), "connection")
    if reports.cache is not None:
        examined += " and the cache"
    if not ill:
        return paint.good(f"{examined} well{warned}")
    return paint.bad(f"{len(ill)} of {examined} not well: {', '.join(ill)}{warned}")


def as_json(reports: Reports) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ok": reports.is_good,
        "connections": [
            {"name": report.connection, "vendor": report.vendor, **_shown(report)}
            for report in reports.connections
        ],
    }
    if reports.cache is not None:
        told["cache"] = {"store": reports.cache.vendor, **_shown(reports.cache)}
    return told


def _shown(report: Report) -> dict[str, Any]:
    return {"ok": report.is_good, "steps": [asdict(step) for step in report.steps]}


def _step_lines(step: Step, width: int, paint: Paint) -> Iterator[str]:
    shade = {State.GOOD: paint.good, State.DOUBTFUL: paint.doubtful, State.BAD: paint.bad}
    mark = shade.get(step.state, paint.quiet)(_MARKS[step.state])
    yield f"  {mark} {step.name:<{width}}  {step.said}".rstrip()
    labels = max(_LABEL, *(len(fact.label) for fact in step.facts), 0)
    for fact in step.facts:
        yield from _labelled(paint, fact.label.ljust(labels), fact.text)
    for advice in step.advice:
        yield from _labelled(paint, "cause".ljust(labels), advice.cause)
        yield from _labelled(paint, "cure".ljust(labels), advice.cure)


def _labelled(paint: Paint, label: str, text: str) -> Iterator[str]:
    indent = _INDENT + len(label) + 2
    first, *rest = textwrap.wrap(
        text, _WIDTH - indent, break_long_words=False, break_on_hyphens=False
    ) or [""]
    yield f"{'':{_INDENT}}{paint.quiet(label)}  {first}"
    yield from (" " * indent + further for further in rest)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
