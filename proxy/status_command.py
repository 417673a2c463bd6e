"""`bss-sidecar status`: what the status page shows, on a terminal."""

import json as json_text
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from textwrap import wrap
from typing import Any, Final, TextIO

from proxy.admin_client import EXIT_UNAVAILABLE, AdminClient, Refused, admin_address
from proxy.http.attention import WELL, Severity

EXIT_WELL: Final = 0
"""Every answer is whole. Something may need attention soon."""
EXIT_LACKING: Final = 1
"""Something is broken or degraded."""
EVERY_S: Final = 1.0
_MARKS: Final = {Severity.BROKEN: "■", Severity.DEGRADED: "▲", Severity.SOON: "○", WELL: "●"}
_COLOURS: Final = {Severity.BROKEN: "31", Severity.DEGRADED: "33", Severity.SOON: "36", WELL: "32"}
_BARS: Final = "▁▂▃▄▅▆▇█"
_SPARKS: Final = 20
"""Each of them half a minute."""
_CLEAR: Final = "\x1b[H\x1b[J"
_HEAD: Final = (
    "", "connection", "state", "breakers", "answers, 10 min", "last minute", "median, p95", "cache",
    "certificate", "token",
)  # fmt: skip
_SPARED: Final = (
    "token", "cache", "answers, 10 min", "certificate", "median, p95", "last minute", "breakers",
)  # fmt: skip
"""Columns that a narrow terminal does without, in this order."""
_INDENT: Final = 13
"""Where the words of a finding begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was typed."""

    admin: str | None = None
    """URL of the admin listener, where no file says it."""
    file: Path | None = None
    json: bool = False
    watch: bool = False
    """Again each second, until it is interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Where it is told."""

    out: TextIO
    err: TextIO
    colours: bool = False
    width: int | None = None
    """Columns of a terminal; `None`: it is none, and lines may be as long as they are."""
    pause: Callable[[float], object]
    """Waits for so many seconds."""


def run_status(look: Look, *, env: Mapping[str, str], terminal: Terminal) -> int:
    """The exit status."""
    try:
        client = AdminClient(*admin_address(look.admin, look.file, env))
    except Refused as refused:
        print(f"bss-sidecar status: {refused}", file=terminal.err)
        return refused.code
    while True:
        code = _told(client, look, terminal)
        if not look.watch:
            return code
        terminal.pause(EVERY_S)


def lines(
    status: Mapping[str, Any], *, colours: bool = False, width: int | None = None
) -> Iterator[str]:
    """The status as text: what is wrong first, then each connection. `width` in columns."""
    paint = _painter(colours=colours)
    now = datetime.fromisoformat(status["now"])
    summary = status["summary"]
    yield paint(f"{_MARKS[summary['state']]} {summary['headline']}", summary["state"])
    if summary["more"]:
        yield from _wrapped(f"  {summary['more']}", width)
    up = lasting((now - datetime.fromisoformat(status["started"])).total_seconds())
    yield from _wrapped(
        f"  bss-sidecar {status['version']}, up {up}, "
        f"{'ready' if status['ready'] else 'not ready'}, "
        f"configuration {status['configuration']['state']}, {now:%H:%M:%S} UTC",
        width,
    )
    for finding in status["attention"]:
        yield ""
        yield from _finding(finding, now, paint, width)
    yield ""
    yield from _table(
        [_row(name, one, now) for name, one in status["connections"].items()],
        [one["state"] for one in status["connections"].values()],
        paint,
        width,
    )


def lasting(seconds: float) -> str:
    """`42 s`, `4 min`, `3 h 12 min`, `29 days`."""
    whole = max(0, int(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 100:
        return f"{minutes} min"
    hours = minutes // 60
    if hours < 48:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{hours // 24} days"


def _told(client: AdminClient, look: Look, terminal: Terminal) -> int:
    clear = _CLEAR if look.watch and terminal.width and not look.json else ""
    try:
        status = client.ask("GET", "/v1/status?since=0")
    except Refused as refused:
        print(f"{clear}bss-sidecar status: {refused}", file=terminal.err, flush=True)
        return EXIT_UNAVAILABLE
    if look.json:
        text = json_text.dumps(status, indent=None if look.watch else 2)
    else:
        told = lines(status, colours=terminal.colours, width=terminal.width)
        text = clear + "\n".join(told) + ("\n" if look.watch and not clear else "")
    print(text, file=terminal.out, flush=True)
    lacking = status["summary"]["state"] in {Severity.BROKEN, Severity.DEGRADED}
    return EXIT_LACKING if lacking else EXIT_WELL


def _painter(*, colours: bool) -> Callable[[str, str], str]:
    def paint(text: str, state: str) -> str:
        return f"\x1b[{_COLOURS[state]}m{text}\x1b[0m" if colours else text

    return paint


def _finding(
    finding: Mapping[str, Any],
    now: datetime,
    paint: Callable[[str, str], str],
    width: int | None,
) -> Iterator[str]:
    severity = finding["severity"]
    whom = "sidecar" if finding["connection"] == "-" else finding["connection"]
    since = ""
    if finding["since"]:
        at = datetime.fromisoformat(finding["since"])
        since = f"  (for {lasting((now - at).total_seconds())}, since {at:%Y-%m-%d %H:%M:%S} UTC)"
    label = f"{_MARKS[severity]} {severity:<9}"
    first, *rest = _wrapped(f"{label} {whom}: {finding['what']}{since}", width, _INDENT)
    yield paint(label, severity) + first[len(label) :]
    yield from rest
    if finding["why"]:
        yield from _wrapped(f"  why        {finding['why']}", width, _INDENT)
    if finding["remedy"]:
        yield from _wrapped(f"  do         {finding['remedy']}", width, _INDENT)
    if finding["command"]:
        yield f"  type       {finding['command']}"


def _wrapped(line: str, width: int | None, indent: int = 2) -> Iterator[str]:
    """The line in as many as it takes; those that follow begin where its words do."""
    if width is None or len(line) <= width:
        yield line
        return
    yield from wrap(
        line,
        max(width, 2 * indent),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _row(name: str, shown: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    history = shown["history"]
    columns: Sequence[str] = history["columns"]
    rows = [dict(zip(columns, row, strict=True)) for row in history["rows"]]
    return (
        _MARKS[shown["state"]],
        name,
        shown["state"],
        _breakers(shown),
        _spark(rows, history),
        _last_minute(history),
        _time(rows, "exchange" if shown.get("breakers") else "question"),
        _cache(rows),
        _until(shown.get("certificate_ends"), now),
        _until(shown.get("token_ends_at"), now),
    )


def _breakers(shown: Mapping[str, Any]) -> str:
    """Those that are not closed, or else that they all are."""
    breakers: Mapping[str, Mapping[str, Any]] = shown.get("breakers") or {}
    away = [
        f"{name} {one['state'].replace('_', ' ')}"
        for name, one in breakers.items()
        if one["state"] != "closed"
    ]
    return ", ".join(away) or ("closed" if breakers else "-")


def _spark(rows: Sequence[Mapping[str, Any]], history: Mapping[str, Any]) -> str:
    """How many answers each half minute had; `x` where some of them lacked something."""
    width = history["buckets"] // _SPARKS
    whole, lacking = [0] * _SPARKS, [0] * _SPARKS
    for row in rows:
        at = _SPARKS - 1 - (history["bucket"] - row["bucket"]) // width
        if 0 <= at < _SPARKS:
            whole[at] += row["answered"]
            lacking[at] += row["degraded"] + row["failed"]
    most = max(1, *whole)
    return "".join(
        "x" if bad else (_BARS[(good * 7) // most] if good else "·")
        for good, bad in zip(whole, lacking, strict=True)
    )


def _last_minute(history: Mapping[str, Any]) -> str:
    if not history["questions"]:
        return "none"
    if history["degraded"]:
        return f"{history['degraded']:,} of {history['questions']:,} degraded"
    return f"{history['questions']:,}, all whole"


def _time(rows: Sequence[Mapping[str, Any]], kind: str) -> str:
    for row in reversed(rows):
        if row[f"{kind}_p50_ms"] is not None:
            return f"{row[f'{kind}_p50_ms']:,.3g} ms, {row[f'{kind}_p95_ms']:,.3g} ms"
    return "-"


def _cache(rows: Sequence[Mapping[str, Any]]) -> str:
    hits = sum(row["cache_hits"] for row in rows)
    asked = hits + sum(row["cache_misses"] for row in rows)
    return f"{hits / asked:.0%} hits" if asked else "-"


def _until(ends: str | None, now: datetime) -> str:
    if not ends:
        return "-"
    left_s = (datetime.fromisoformat(ends) - now).total_seconds()
    return lasting(left_s) if left_s > 0 else "ended"


def _table(
    rows: Sequence[Sequence[str]],
    states: Sequence[str],
    paint: Callable[[str, str], str],
    width: int | None,
) -> Iterator[str]:
    if not rows:
        yield "No connection is configured."
        return
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    kept = _fitting(widths, width)
    yield _laid_out(_HEAD, widths, kept)
    for row, state in zip(rows, states, strict=True):
        line = _laid_out(row, widths, kept)
        yield paint(line[0], state) + line[1:]


def _fitting(widths: Sequence[int], width: int | None) -> Sequence[int]:
    """Places of the columns that a terminal has room for; the first three always are."""
    kept = list(range(len(widths)))
    for name in _SPARED:
        if width is None or sum(widths[at] + 2 for at in kept) - 3 <= width:
            break
        kept.remove(_HEAD.index(name))
    return kept


def _laid_out(cells: Sequence[str], widths: Sequence[int], kept: Sequence[int]) -> str:
    padded = (f"{cells[at]:<{widths[at]}}" for at in kept)
    first, *rest = padded
    return f"{first} {'  '.join(rest)}".rstrip()
