"""`bss-sidecar doctor [FILE]`: from a configuration to reports on what it reaches."""

import asyncio
import json as json_text
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from adapters.registry import reaches
from config.load import can_read, environment, load, read_file
from config.problems import ConfigurationProblems
from config.settings import Settings
from proxy.check import EXIT_CONFIGURATION, Paint, bad_lines
from proxy.doctor.cache import examine_cache
from proxy.doctor.examination import examine
from proxy.doctor.findings import Report, Reports
from proxy.doctor.patient import Patient
from proxy.doctor.printing import as_json, report_lines, verdict

EXIT_ILL, EXIT_COMMAND_LINE = 1, 2
NOT_NAMED = "name a configuration file, here or in BSS_SIDECAR_CONFIG"
NO_TENANT = "doctor"
"""Stands for the tenant of a connection that none is routed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What was asked of the doctor."""

    path: Path
    connection: str | None = None
    """The one to look at; `None`: all."""
    json: bool = False


def run_doctor(visit: Visit, *, clock: Callable[[], datetime], out: TextIO) -> int:
    """0 when everything is well, 1 when something is not.

    2 when there is no such connection, 64 when the configuration is bad.
    """
    env = environment()
    paint = Paint(on=out.isatty() and not env.get("NO_COLOR"))

    def say(text: str, answer: Mapping[str, object]) -> None:
        told = {"file": str(visit.path), **answer}
        print(json_text.dumps(told, indent=2) if visit.json else text, file=out, flush=True)

    def tell(report: Report) -> None:
        if not visit.json:
            print("\n".join(report_lines(report, paint)), file=out, flush=True)

    try:
        settings = load(
            visit.path, env=env, read=read_file, vendors=reaches(), exists=can_read
        ).settings
    except ConfigurationProblems as found:
        problems = [asdict(problem) for problem in found.problems]
        text = "\n".join(bad_lines(visit.path.name, found, paint))
        say(text, {"ok": False, "problems": problems})
        return EXIT_CONFIGURATION
    if visit.connection not in (None, *settings.connections):
        what = f"there is no connection {visit.connection}; there are: "
        what += ", ".join(settings.connections) or "none"
        say(paint.bad(what), {"ok": False, "problems": [{"what": what}]})
        return EXIT_COMMAND_LINE
    reports = asyncio.run(examine_all(settings, visit.connection, clock=clock, tell=tell))
    say(f"\n{verdict(reports, paint)}", as_json(reports))
    return 0 if reports.is_good else EXIT_ILL


async def examine_all(
    settings: Settings,
    only: str | None,
    *,
    clock: Callable[[], datetime],
    tell: Callable[[Report], None],
) -> Reports:
    """One after the other, so that what is measured is not the doctor's own haste.

    `tell`: takes each report as soon as it is there.
    """
    reports = Reports()
    for name, setting in settings.connections.items():
        if only in (None, name):
            tenant = _tenant(settings, name)
            patient = Patient(name=name, setting=setting, tenant=tenant, clock=clock)
            reports.connections.append(await examine(patient))
            tell(reports.connections[-1])
    if only is None and settings.cache.store == "redis":
        reports.cache = await examine_cache(settings.cache, clock=clock)
        tell(reports.cache)
    return reports


def _tenant(settings: Settings, connection: str) -> str:
    served = (name for name, one in settings.tenants.items() if one.connection == connection)
    return next(served, NO_TENANT)
