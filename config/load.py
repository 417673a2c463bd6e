"""From a file and an environment to settings, or to everything that is wrong with them.

The only reader of the environment and of files. A load goes in steps, and each leaves a draft in
which only what passed is left, so that one run tells every problem:

    document (YAML) → overrides → no secrets inside → ${NAME} → each setting by itself
    → rules between settings
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from config.document import SIZE_LIMIT, parse_document
from config.draft import Draft
from config.inline import refuse_secrets, take_environment
from config.overrides import Overrides, lay_over
from config.problems import ConfigurationProblems, Place, Problem
from config.rules import judge
from config.settings import Settings
from config.shape import field_at, fields_at, likely_setting
from config.wording import explain

Read: TypeAlias = Callable[[Path], str | bytes]

SCHEMA_VERSION = 1
_UNKNOWN = "extra_forbidden"  # as pydantic calls a key that is no setting
_MADE_FILES = {("auth", "token_file"), ("audit", "file")}
_STAND_IN = "x"  # in the place of a text that is missing, so that its group can be judged


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings that may be served, and what is worth knowing about them."""

    settings: Settings
    warnings: list[Problem]
    digest: str
    """Of the file's content; another digest means that the file has changed."""


def load(
    path: Path,
    *,
    env: Mapping[str, str],
    read: Read,
    vendors: Mapping[str, str],
    lenient: bool = False,
    exists: Callable[[Path], bool] | None = None,
    overrides: Overrides | None = None,
) -> Loaded:
    """Settings from one file. Raises `ConfigurationProblems` with all that is wrong.

    `vendors` says what each vendor is reached over: `http`, `database` or `none`. `lenient`: an
    unknown key is a warning, and left out. `exists`: asked of every file that the settings name;
    one that is not there is a warning, for it may come later. `overrides` win over the file.
    """
    content = _content(path, read)
    digest = digest_of(content)
    try:
        draft = Draft(parse_document(content))
    except ConfigurationProblems as hopeless:
        raise ConfigurationProblems(hopeless.problems, digest=digest) from None
    lay_over(draft, overrides or {})
    refuse_secrets(draft)
    if lenient:
        _leave_out_unknown(draft)
    take_environment(draft, env)
    settings = _validated(draft)
    _judge(draft, settings, vendors)
    if draft.problems:
        raise ConfigurationProblems(
            _in_order(draft.problems), warnings=_in_order(draft.warnings), digest=digest
        )
    if exists is not None:
        _warn_of_absent_files(draft, settings, exists)
    return Loaded(settings, _in_order(draft.warnings), digest)


def digest_of(content: str | bytes) -> str:
    raw = content.encode(errors="surrogatepass") if isinstance(content, str) else content
    return hashlib.sha256(raw).hexdigest()


def environment() -> Mapping[str, str]:
    """The environment of this process, as it is now."""
    return dict(os.environ)  # noqa: TID251  (this is the one place that reads it)


def read_file(path: Path) -> bytes:
    """The file, or as much of it as shows that it is too large."""
    with path.open("rb") as file:
        return file.read(SIZE_LIMIT + 1)


def can_read(path: Path) -> bool:
    return os.access(path, os.R_OK)


def _content(path: Path, read: Read) -> str | bytes:
    try:
        return read(path)
    except FileNotFoundError:
        what, instead = "is not there", "the path of a configuration file"
    except (OSError, ValueError) as error:
        what, instead = f"cannot be read ({type(error).__name__})", "a file that can be read"
    raise ConfigurationProblems([Problem("", what, instead)])


def _leave_out_unknown(draft: Draft) -> None:
    """What a newer sidecar may know. Nothing else is asked of it, such as whether its `${NAME}` is
    set here.
    """
    groups: list[Place] = [()]
    while groups:
        group = groups.pop()
        value, fields = draft.value(group), fields_at(group)
        for key in list(value) if isinstance(value, dict) else ():
            place = (*group, key)
            if fields and key not in fields:
                draft.warn(place, *explain(_UNKNOWN, place, {}))
                draft.drop(place)
            else:
                groups.append(place)


def _validated(draft: Draft) -> Settings:
    """Settings from what is left of the draft once every bad value is out of it."""
    _drop_empty_groups(draft)
    while True:
        try:
            return Settings.model_validate(draft.root)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        # Unknown keys first: a slip in a key explains why another one is missing.
        for detail in sorted(details, key=lambda one: one["type"] != _UNKNOWN):
            place = tuple(step for step in detail["loc"] if step != "[key]")
            _take_out(draft, detail["type"], place, detail.get("ctx", {}))


def _take_out(draft: Draft, kind: str, place: Place, context: Mapping[str, Any]) -> None:
    what, instead = explain(kind, place, context)
    if kind == _UNKNOWN:
        meant = likely_setting(place[:-1], str(place[-1]))
        draft.refuse(place, what, instead)
        if meant:
            draft.doubt((*place[:-1], *meant.split(".")))
    elif kind == "missing":
        if draft.knows(place):
            draft.complain(place, what, instead)
            draft.doubt(place)
        draft.put(place, SCHEMA_VERSION if place == ("schema_version",) else _STAND_IN)
    else:
        draft.refuse(place, what, instead)


def _drop_empty_groups(draft: Draft) -> None:
    """A group or setting with nothing behind its colon is one that was not written."""
    for place, value in draft.leaves():
        field = field_at(place)
        if value is None and field is not None and not field.is_required():
            draft.drop(place)


def _judge(draft: Draft, settings: Settings, vendors: Mapping[str, str]) -> None:
    findings = list(judge(settings, vendors))
    for found in findings:
        places = (found.place, *found.needs)
        if found.serious and all(draft.knows(place) for place in places):
            draft.complain(found.place, found.what, found.instead)
    if not draft.problems:  # what is left of a broken file would mislead
        for found in findings:
            if not found.serious:
                draft.warn(found.place, found.what, found.instead)


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.line or 0)


def _warn_of_absent_files(draft: Draft, settings: Settings, exists: Callable[[Path], bool]) -> None:
    stack: list[tuple[Place, Any]] = [((), settings.model_dump())]
    while stack:
        place, here = stack.pop()
        if isinstance(here, dict):
            stack += [((*place, key), inner) for key, inner in here.items()]
        elif isinstance(here, str) and _names_input(place) and not exists(Path(here)):
            draft.warn(place, "names a file that cannot be read yet", "nothing, if it comes later")


def _names_input(place: Place) -> bool:
    """What the sidecar makes itself is left out."""
    is_file = field_at(place) is not None and str(place[-1]).endswith("file")
    return is_file and place not in _MADE_FILES
