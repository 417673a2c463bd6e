"""Where something was found, and how findings of several finders become one text."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from adapters.scrubbing.kinds import PLACEHOLDER, Kind
from adapters.scrubbing.manifest import Manifest

BLANK = "\ue000"
"""Stands for a character that is spoken for: neither letter, digit nor space, in no alphabet."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of a text, the latter excluded."""

    start: int
    end: int
    kind: Kind


Finder: TypeAlias = Callable[[str], Iterable[Span]]
"""Its cost grows with the length of the text, and no faster."""


def find(text: str, finders: Iterable[Finder]) -> list[Span]:
    """In the order of the text. What an earlier finder took, a later one does not see."""
    found: list[Span] = []
    left = PLACEHOLDER.sub(lambda match: BLANK * len(match.group()), text)
    for finder in finders:
        taken = list(_apart(finder(left)))
        if taken:
            found += taken
            left = _without(left, taken)
    return sorted(found, key=lambda span: span.start)


def replaced(text: str, spans: Iterable[Span], manifest: Manifest, path: str) -> str:
    """`spans` are in order and apart."""
    pieces, at = [], 0
    for span in spans:
        pieces.append(text[at : span.start])
        pieces.append(manifest.add(span.kind, text[span.start : span.end], path))
        at = span.end
    return "".join([*pieces, text[at:]])


def _apart(spans: Iterable[Span]) -> Iterator[Span]:
    """Those that begin where no earlier one reaches."""
    reach = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start >= reach and span.end > span.start:
            yield span
            reach = span.end


def _without(text: str, spans: Iterable[Span]) -> str:
    pieces, at = [], 0
    for span in spans:
        pieces += [text[at : span.start], BLANK * (span.end - span.start)]
        at = span.end
    return "".join([*pieces, text[at:]])
