"""A text without what is personal or secret in it."""

import re
from collections.abc import Collection

from adapters.scrubbing import labels, numbers, words
from adapters.scrubbing.kinds import REDACTED, TRUNCATED, Kind
from adapters.scrubbing.manifest import Manifest
from adapters.scrubbing.spans import Finder, find, replaced

FINDERS: tuple[Finder, ...] = (
    words.secrets,  # first: a secret may hold the form of anything else
    labels.labelled,  # who wrote a label knew what it is
    labels.spoken,
    words.mails,
    numbers.ibans,  # check digits before lengths, lengths before beginnings
    numbers.cards,
    numbers.imsis,
    numbers.phones,
    words.amounts,
    numbers.addresses,
    words.titled,
)
_MOST_PASSES = 4
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_MACHINE_WORD = re.compile(
    rf"[a-z_-]{{0,128}}|[A-Z]{{3}}|-?[0-9]{{1,9}}(?:\.[0-9]{{1,9}})?|[0-9a-f]{{32}}|{_UUID}"
)
"""What no finder takes when it stands alone, and most of a record is of: told at once."""


def scrub_prose(
    text: str, manifest: Manifest, *, path: str, most: int, kinds: Collection[Kind]
) -> str:
    """The text, at most `most` characters of it, and what is scrubbed once stays as it is.

    A replacement may uncover something at its side, so what has changed is looked at again.
    """
    if _MACHINE_WORD.fullmatch(text):
        return text
    for _ in range(_MOST_PASSES):
        text = _cut(text, most)
        spans = [span for span in find(text, FINDERS) if span.kind in kinds]
        if not spans:
            return text
        text = replaced(text, spans, manifest, path)
    return REDACTED


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - len(TRUNCATED)] + TRUNCATED
