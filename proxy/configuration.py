"""The configuration file as the sidecar reads it: to serve by hand, or whatever happens."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.registry import reaches
from config.document import parse_document
from config.load import can_read, digest_of, load, read_file
from config.problems import ConfigurationProblems, Problem
from config.settings import Settings

_DOORS = ("listeners", "auth")
NOT_NAMED = Problem("", "no file is named", "the path of a configuration file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one look at the file found."""

    settings: Settings | None
    """`None`: there is nothing to serve with."""
    doors: Settings
    """Where to listen: of a bad file its listeners if those at least are good, else defaults."""
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    digest: str = ""
    """Of the file's content; empty when it can't be read."""


DEFAULTS = Settings(schema_version=1)


def read_configuration(
    path: Path | None,
    *,
    env: Mapping[str, str],
    lenient: bool = False,
    fallback: Settings = DEFAULTS,
) -> Reading:
    """Never raises. `lenient`: an unknown key is only a warning.

    `fallback` says where to listen when the file doesn't.
    """
    if path is None:
        return Reading(settings=None, doors=fallback, problems=[NOT_NAMED])
    try:
        loaded = load(
            path,
            env=env,
            read=read_file,
            vendors=reaches(),
            lenient=lenient,
            exists=can_read,
        )
    except ConfigurationProblems as found:
        return Reading(
            settings=None,
            doors=_doors(path, env) or fallback,
            problems=found.problems,
            warnings=found.warnings,
            digest=found.digest,
        )
    return Reading(
        settings=loaded.settings,
        doors=loaded.settings,
        warnings=loaded.warnings,
        digest=loaded.digest,
    )


def digest(path: Path | None) -> str:
    """Of the file as it is now; empty when it can't be read."""
    if path is None:
        return ""
    try:
        return digest_of(read_file(path))
    except OSError:
        return ""


def _doors(path: Path, env: Mapping[str, str]) -> Settings | None:
    """The doors of a file whose other parts are bad, judged as a file of their own."""
    try:
        root = parse_document(read_file(path)).root
        kept = {name: root[name] for name in _DOORS if name in root}
        text = json.dumps({"schema_version": 1, **kept})
        return load(
            path, env=env, read=lambda _path: text, vendors=reaches(), lenient=True
        ).settings
    except (ConfigurationProblems, OSError, TypeError, ValueError):
        return None
