"""`bss-sidecar doctor [FILE]`: from a configuration to reports on what it reaches."""

import asyncio
import json as json_text
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from adapters.registry import reaches
from config.load import can_read, environment, load, read_file
from config.problems import ConfigurationProblems
from config.settings import Settings
from proxy.check import EXIT_CONFIGURATION, Paint, bad_lines
from proxy.doctor.examination import examine
from proxy.doctor.findings import Report
from proxy.doctor.patient import Patient
from proxy.doctor.printing import as_json, lines

EXIT_ILL = 1
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
    """0 when everything is well, 1 when something is not, 64 when the configuration is bad."""
    env = environment()
    paint = Paint(on=out.isatty() and not env.get("NO_COLOR"))
    try:
        settings = load(
            visit.path, env=env, read=read_file, vendors=reaches(), exists=can_read
        ).settings
    except ConfigurationProblems as found:
        problems = [asdict(problem) for problem in found.problems]
        bad = {"file": str(visit.path), "ok": False, "problems": problems}
        text = bad_lines(visit.path.name, found, paint)
        print(_json(bad) if visit.json else "\n".join(text), file=out)
        return EXIT_CONFIGURATION
    if visit.connection is not None and visit.connection not in settings.connections:
        known = ", ".join(settings.connections) or "none"
        print(paint.bad(f"there is no connection {visit.connection}; there are: {known}"), file=out)
        return EXIT_ILL
    reports = asyncio.run(examine_all(settings, visit.connection, clock))
    if visit.json:
        print(_json(as_json(str(visit.path), reports)), file=out)
    else:
        print("\n".join(lines(reports, paint)), file=out)
    return 0 if all(report.is_good for report in reports) else EXIT_ILL


async def examine_all(
    settings: Settings, only: str | None, clock: Callable[[], datetime]
) -> list[Report]:
    """One after the other, so that what is measured is not the doctor's own haste."""
    return [
        await examine(
            Patient(name=name, setting=setting, tenant=_tenant(settings, name), clock=clock)
        )
        for name, setting in settings.connections.items()
        if only in (None, name)
    ]


def _tenant(settings: Settings, connection: str) -> str:
    served = (name for name, one in settings.tenants.items() if one.connection == connection)
    return next(served, NO_TENANT)


def _json(answer: object) -> str:
    return json_text.dumps(answer, indent=2)
