"""Settings that are given beside the file: by a pod for itself, where the file is for many pods.

They win over the file's, and hold where there is no file, or a broken one: where a pod's doors are
must not depend on a file that somebody else writes.
"""

from collections.abc import Mapping
from typing import TypeAlias

from config.document import Plain, plain_value
from config.draft import Draft
from config.problems import Place

Overrides: TypeAlias = Mapping[Place, Plain]
"""What stands at each place, whatever the file says; `None`: nothing does."""


def parse_override(text: str) -> tuple[Place, Plain]:
    """`logging.level=debug`. Nothing behind the `=` takes the file's setting out.

    Raises `ValueError`.
    """
    path, equals, value = text.partition("=")
    place = tuple(path.split("."))
    if not equals or not all(place):
        raise ValueError("not of the form listeners.ops.port=8651")
    return place, plain_value(value)


def lay_over(draft: Draft, overrides: Overrides) -> None:
    """What was found wrong with a value that is replaced stays a problem of the file's."""
    for place, value in overrides.items():
        if value is None:
            draft.drop(place)
        else:
            draft.set(place, value)
