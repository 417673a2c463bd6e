"""The configuration file as the sidecar reads it: to serve by hand, or whatever happens."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adapters.registry import reaches
from config.document import parse_document
from config.load import Loaded, can_read, digest_of, load, read_file
from config.overrides import Overrides
from config.problems import ConfigurationProblems, Place, Problem, dotted
from config.settings import Settings

_DOORS = ("listeners", "auth")
NOT_NAMED = Problem("", "no file is named", "the path of a configuration file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one look at the file found."""

    settings: Settings | None
    """`None`: there is nothing to serve with."""
    doors: Settings
    """Where to listen: of a bad file its listeners if those at least are good, else none of its."""
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    digest: str = ""
    """Of the file's content; empty when it can't be read."""


DEFAULTS = Settings(schema_version=1)
NO_OVERRIDES: Overrides = {}


def read_configuration(
    path: Path | None,
    *,
    env: Mapping[str, str],
    lenient: bool = False,
    overrides: Overrides = NO_OVERRIDES,
    fallback: Settings = DEFAULTS,
) -> Reading:
    """Never raises. `overrides` win over the file, and say where to listen when it doesn't.

    `lenient`: an unknown key is only a warning, and so is an override that is refused. `fallback`:
    where to listen when nothing says so.
    """
    if overrides:
        fallback = _without_file(env, overrides)
    if path is None:
        return Reading(settings=None, doors=fallback, problems=[NOT_NAMED])
    try:
        loaded, refused = _loaded(path, env, overrides, lenient=lenient)
    except ConfigurationProblems as found:
        return Reading(
            settings=None,
            doors=_doors(path, env, overrides) or fallback,
            problems=found.problems,
            warnings=found.warnings,
            digest=found.digest,
        )
    return Reading(
        settings=loaded.settings,
        doors=loaded.settings,
        warnings=[*refused, *loaded.warnings],
        digest=loaded.digest,
    )


def _loaded(
    path: Path, env: Mapping[str, str], overrides: Overrides, *, lenient: bool
) -> tuple[Loaded, Sequence[Problem]]:
    """Settings, and what was wrong with overrides that are left out.

    Raises `ConfigurationProblems`.
    """
    read = partial(load, path, env=env, read=read_file, vendors=reaches(), exists=can_read)
    try:
        return read(lenient=lenient, overrides=overrides), ()
    except ConfigurationProblems as found:
        good = _not_refused(overrides, found.problems)
        if not lenient or len(good) == len(overrides):
            raise
        refused = [problem for problem in found.problems if _place_of(problem, overrides)]
    return read(lenient=True, overrides=good), refused


def _not_refused(overrides: Overrides, problems: Sequence[Problem]) -> Overrides:
    refused = {_place_of(problem, overrides) for problem in problems}
    return {place: value for place, value in overrides.items() if place not in refused}


def _place_of(problem: Problem, overrides: Overrides) -> Place | None:
    """The override that a problem is about."""
    return next((place for place in overrides if dotted(place) == problem.path), None)


def digest(path: Path | None) -> str:
    """Of the file as it is now; empty when it can't be read."""
    if path is None:
        return ""
    try:
        return digest_of(read_file(path))
    except OSError:
        return ""


def _doors(path: Path, env: Mapping[str, str], overrides: Overrides) -> Settings | None:
    """The doors of a file whose other parts are bad, judged as a file of their own."""
    try:
        root = parse_document(read_file(path)).root
        kept = {name: root[name] for name in _DOORS if name in root}
        return _judged(path, {"schema_version": 1, **kept}, env, overrides)
    except (ConfigurationProblems, OSError, TypeError, ValueError):
        return None


def _without_file(env: Mapping[str, str], overrides: Overrides) -> Settings:
    """What the overrides say, as far as it is good."""
    document = {"schema_version": 1}
    while True:
        try:
            return _judged(Path(), document, env, overrides)
        except ConfigurationProblems as found:
            good = _not_refused(overrides, found.problems)
            overrides = good if len(good) < len(overrides) else NO_OVERRIDES


def _judged(
    path: Path, document: Mapping[str, object], env: Mapping[str, str], overrides: Overrides
) -> Settings:
    """Raises `ConfigurationProblems`."""
    text = json.dumps(document)
    read = partial(load, path, env=env, read=lambda _path: text, vendors=reaches())
    return read(lenient=True, overrides=overrides).settings
