"""`bss-sidecar certs`: until when every certificate of a configuration is good, at a glance.

It reads files and asks nobody; `bss-sidecar doctor` tries them out.
"""

import json as json_text
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TextIO

from adapters.registry import reaches
from config.load import load
from config.load import read_file as read_configuration_file
from config.problems import ConfigurationProblems
from config.settings import Settings
from proxy.check import EXIT_CONFIGURATION, Paint, bad_lines
from proxy.credentials.certificates import CertificateFacts, parse_certificates
from proxy.credentials.files import read_file
from proxy.doctor.certificates import SOON, issuer_of, moment, span, subject_of

EXIT_NOT_WELL: Final = 1
_HEADS: Final = ("of", "file", "subject", "issuer", "serial", "ends", "left")
_SERIAL_END: Final = 8
"""Hexadecimal digits of a serial number that tell a renewed certificate from the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One certificate, or a file in which there is none."""

    owner: str
    """Path of the setting's group, such as `connections.amdocs.tls`."""
    file: str
    facts: CertificateFacts | None = None
    wrong: str | None = None
    """What is wrong with the file; then there are no facts."""

    def state(self, now: datetime) -> str:
        """`bad` has to be mended now, `soon` renewed, `good` neither."""
        if self.facts is None or not self.facts.not_before <= now < self.facts.not_after:
            return "bad"
        return "soon" if self.facts.share_left(now) < SOON else "good"


def run_certs(path: Path, *, json: bool, now: datetime, env: Mapping[str, str], out: TextIO) -> int:
    """1 if a certificate is not to be used, 64 if the configuration is bad, else 0."""
    paint = Paint(on=out.isatty() and not env.get("NO_COLOR"))
    try:
        settings = load(path, env=env, read=read_configuration_file, vendors=reaches()).settings
    except ConfigurationProblems as found:
        print("\n".join(bad_lines(path.name, found, paint)), file=out)
        return EXIT_CONFIGURATION
    lines = list(certificates_of(settings))
    if json:
        print(json_text.dumps([_as_json(line, now) for line in lines], indent=2), file=out)
    else:
        print("\n".join(_told(lines, now, paint)), file=out)
    return EXIT_NOT_WELL if any(line.state(now) == "bad" for line in lines) else 0


def certificates_of(settings: Settings) -> Iterator[Line]:
    """Every certificate that the settings name, each file's in their order. Blocks."""
    for owner, path in _files(settings.model_dump(), ""):
        raw = read_file(path, "certificate")
        found = raw.problem or parse_certificates(raw.content)
        if isinstance(found, str):
            yield Line(owner=owner, file=path, wrong=found)
            continue
        for certificate in found:
            yield Line(owner=owner, file=path, facts=CertificateFacts.of(certificate))


def _files(here: Mapping[str, Any], owner: str) -> Iterator[tuple[str, str]]:
    """The group's path and the file, of every certificate and trust bundle."""
    for name, inner in here.items():
        if isinstance(inner, dict):
            yield from _files(inner, f"{owner}.{name}" if owner else name)
        elif name in {"certificate_file", "trust_bundle_file"} and inner:
            yield owner, inner


def _told(lines: Sequence[Line], now: datetime, paint: Paint) -> Iterator[str]:
    if not lines:
        yield "this configuration names no certificate"
        return
    rows = [_row(line, now) for line in lines]
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    shades = {"bad": paint.bad, "soon": paint.doubtful, "good": paint.good}

    def joined(cells: Sequence[str]) -> str:
        padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        return "  ".join(padded).rstrip()

    yield paint.quiet(joined(_HEADS))
    for line, row in zip(lines, rows, strict=True):
        yield shades[line.state(now)](joined(row))


def _row(line: Line, now: datetime) -> tuple[str, ...]:
    if line.facts is None:
        return (line.owner, line.file, "", "", "", "", line.wrong or "")
    facts = line.facts
    return (
        *(line.owner, line.file, subject_of(facts), issuer_of(facts)),
        f"…{_serial(facts)[-_SERIAL_END:]}",
        *(f"{moment(facts.not_after)} UTC", _left(facts, now)),
    )


def _serial(facts: CertificateFacts) -> str:
    """Hexadecimal, as `openssl x509 -serial` writes it: whole bytes in capitals."""
    digits = f"{facts.serial:X}"
    return digits.zfill(len(digits) + len(digits) % 2)


def _left(facts: CertificateFacts, now: datetime) -> str:
    if now < facts.not_before:
        return f"begins in {span(facts.not_before - now)}"
    if now >= facts.not_after:
        return f"ended {span(now - facts.not_after)} ago"
    return span(facts.not_after - now)


def _as_json(line: Line, now: datetime) -> dict[str, Any]:
    told: dict[str, Any] = {"of": line.owner, "file": line.file, "state": line.state(now)}
    if line.facts is None:
        return {**told, "wrong": line.wrong}
    facts = line.facts
    return {
        **told,
        "subject": subject_of(facts),
        "issuer": issuer_of(facts),
        "serial": _serial(facts),
        "not_before": facts.not_before.isoformat(),
        "not_after": facts.not_after.isoformat(),
        "seconds_left": round((facts.not_after - now).total_seconds()),
    }
