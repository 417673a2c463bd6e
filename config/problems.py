"""What is wrong with a configuration, where, and what to write instead.

No value of the file or the environment is ever part of a problem, since any of them may turn out
to be a secret in the wrong place. Keys are shown where they look like names.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

Place: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the root of the document to a value; `()` is the whole file."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NEARLY_NAME = re.compile(r"[A-Za-z0-9_. -]{1,64}")


def shown_key(key: str) -> str:
    """A key as it may be printed: what doesn't look like a name may be a value gone astray."""
    if _NAME.fullmatch(key):
        return key
    return f'"{key}"' if _NEARLY_NAME.fullmatch(key) else "(a key that is no name)"


def dotted(place: Place) -> str:
    """`connections.amdocs.tmf.charged_statuses[2]`."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + shown_key(step)
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend."""

    path: str
    """Where in the file, such as `connections.amdocs.oauth2.client_secret`; empty: all of it."""
    what: str
    """What is wrong."""
    instead: str
    """What to write instead."""
    line: int | None = None
    """Line of the file, from 1, where the path or what surrounds it stands."""

    def __str__(self) -> str:
        return f"{self.path or 'the file'}: {self.what}; instead: {self.instead}"


class ConfigurationProblems(Exception):  # noqa: N818  (what it holds are problems, in the plural)
    """All that is wrong with one file, told at once."""

    def __init__(
        self,
        problems: Iterable[Problem],
        *,
        warnings: Iterable[Problem] = (),
        digest: str = "",
    ) -> None:
        self.problems = list(problems)
        self.warnings = list(warnings)
        self.digest = digest
        """Of the content that was judged; empty when it could not be read."""
        super().__init__("\n".join(str(problem) for problem in self.problems))
