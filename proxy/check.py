"""`bss-sidecar check` and `bss-sidecar config …`: a configuration, judged for a person.

Nothing is served, no port is bound and no vendor is asked.
"""

import json as json_text
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from shlex import quote
from typing import Any, TextIO
from urllib.parse import urlsplit

from adapters.registry import reaches
from config.addresses import bracketed
from config.load import can_read, environment, load, read_file
from config.problems import ConfigurationProblems, Problem
from config.reference import reference
from config.schema import json_schema
from config.settings import Connection, Settings

EXIT_CONFIGURATION = 64  # EX_USAGE of sysexits.h
_WIDTH = 100
_INDENT = 13  # of what is said about a path, behind its label
_HEADS = ("tenant", "currency", "connection", "vendor", "reached_at", "proves_itself_by")


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours on a terminal, and nothing elsewhere."""

    on: bool

    def __call__(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on else text

    def bad(self, text: str) -> str:
        return self("31", text)

    def doubtful(self, text: str) -> str:
        return self("33", text)

    def good(self, text: str) -> str:
        return self("32", text)

    def quiet(self, text: str) -> str:
        return self("2", text)


def run_check(path: Path, *, json: bool, out: TextIO) -> int:
    """Judge one file and print the judgement; 64 if it has problems, else 0."""
    env = environment()
    paint = Paint(on=out.isatty() and not env.get("NO_COLOR"))
    try:
        loaded = load(path, env=env, read=read_file, vendors=reaches(), exists=can_read)
    except ConfigurationProblems as found:
        lines = bad_lines(path.name, found, paint)
        answer = _json(path, found.problems, found.warnings)
        code = EXIT_CONFIGURATION
    else:
        lines = chain(
            good_lines(path.name, loaded.settings, loaded.warnings, paint),
            [paint.quiet(f"Files are tried by: bss-sidecar doctor {quote(str(path))}")],
        )
        answer = {**_json(path, [], loaded.warnings), "serves": served(loaded.settings)}
        code = 0
    print(json_text.dumps(answer, indent=2) if json else "\n".join(lines), file=out)
    return code


def run_schema(out: TextIO) -> int:
    """Print the JSON Schema of a configuration file."""
    print(json_text.dumps(json_schema(reaches()), indent=2), file=out)
    return 0


def run_reference(out: TextIO) -> int:
    """Print every setting in Markdown."""
    print(reference(json_schema(reaches())), file=out, end="")
    return 0


def bad_lines(name: str, found: ConfigurationProblems, paint: Paint) -> Iterator[str]:
    """Every problem as path, what is wrong and what to write instead, then how many there are."""
    yield ""
    for problem in found.problems:
        yield from _problem(problem, paint)
    yield from _warnings(found.warnings, paint)
    yield paint.bad(f"{_count(len(found.problems), 'problem')} in {name}")


def good_lines(
    name: str, settings: Settings, warnings: Sequence[Problem], paint: Paint
) -> Iterator[str]:
    """What would be served, and what is worth knowing about it."""
    rows = served(settings)
    if rows:
        yield ""
        yield from _table([tuple(row.values()) for row in rows], paint)
    if settings.default_tenant is not None:
        yield f"  Requests without X-Tenant-ID are {settings.default_tenant}'s."
    yield ""
    for door, address in _addresses(settings):
        yield f"  {paint.quiet(f'{door:<6}')} {address}"
    yield ""
    yield from _warnings(warnings, paint)
    yield paint.good(
        f"{name} is good: {_count(len(settings.tenants), 'tenant')}, "
        f"{_count(len(settings.connections), 'connection')}, {_count(len(warnings), 'warning')}"
    )


def served(settings: Settings) -> list[dict[str, str]]:
    """A row for each tenant: who answers for it, where, and how the sidecar proves itself."""
    rows = []
    for tenant, route in settings.tenants.items():
        connection = settings.connections[route.connection]
        row = (
            *(tenant, route.reporting_currency, route.connection, connection.vendor),
            *(_whereabouts(connection), _proof(connection)),
        )
        rows.append(dict(zip(_HEADS, row, strict=True)))
    return rows


def _whereabouts(connection: Connection) -> str:
    urls = [connection.base_url, *connection.apis.values()]
    hosts = dict.fromkeys(urlsplit(url).netloc for url in urls if url is not None)
    return ", ".join(hosts) or ("a database" if connection.database else "-")


def _proof(connection: Connection) -> str:
    ways = []
    if connection.tls is not None and connection.tls.certificate_file:
        ways.append("mutual TLS")
    if connection.oauth2 is not None:
        ways.append(f"OAuth2 {connection.oauth2.method}")
    return " and ".join(ways) or ("nothing (insecure)" if connection.insecure else "-")


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    listeners = settings.listeners
    data = listeners.data
    yield "data", data.unix_socket or _address(data.host, data.port)
    yield "ops", _address(listeners.ops.host, listeners.ops.port)
    yield "admin", _address(listeners.admin.host, listeners.admin.port)


def _address(host: str, port: int) -> str:
    return f"{bracketed(host)}:{port or '(a free port)'}"


def _table(rows: Sequence[tuple[str, ...]], paint: Paint) -> Iterator[str]:
    heads = tuple(head.replace("_", " ") for head in _HEADS)
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]

    def line(cells: Iterable[str]) -> str:
        padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        return f"  {'  '.join(padded)}".rstrip()

    yield paint.quiet(line(heads))
    for row in rows:
        yield line(row)


def _warnings(warnings: Sequence[Problem], paint: Paint) -> Iterator[str]:
    """Each kind of warning once, with all the places that it is about."""
    kinds: dict[tuple[str, str], list[Problem]] = {}
    for warning in warnings:
        kinds.setdefault((warning.what, warning.instead), []).append(warning)
    for (what, instead), places in kinds.items():
        width = max(len(place.path) for place in places)
        for place in places:
            line = paint.quiet(f"  line {place.line}") if place.line else ""
            yield f"  {paint.doubtful(f'{place.path:<{width}}')}{line}"
        yield from _labelled("warning", what, paint)
        yield from _labelled("better", instead, paint)
        yield ""


def _problem(problem: Problem, paint: Paint) -> Iterator[str]:
    line = paint.quiet(f"  line {problem.line}") if problem.line else ""
    yield f"  {paint.bad(problem.path or 'the file')}{line}"
    yield from _labelled("wrong", problem.what, paint)
    yield from _labelled("instead", problem.instead, paint)
    yield ""


def _labelled(label: str, text: str, paint: Paint) -> Iterator[str]:
    first, *rest = textwrap.wrap(text, _WIDTH - _INDENT)
    yield f"    {paint.quiet(f'{label:<7}')}  {first}"
    yield from (f"{'':{_INDENT}}{further}" for further in rest)


def _json(path: Path, problems: list[Problem], warnings: list[Problem]) -> dict[str, Any]:
    return {
        "file": str(path),
        "ok": not problems,
        "problems": [asdict(problem) for problem in problems],
        "warnings": [asdict(warning) for warning in warnings],
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
