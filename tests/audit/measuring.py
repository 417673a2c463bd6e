"""How much of what is personal is found, and how much of what is found is personal."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from adapters.scrubbing.kinds import Kind
from adapters.scrubbing.prose import FINDERS
from adapters.scrubbing.spans import Span, find
from tests.audit.labelled import Labelled


@dataclass(slots=True)
class Measure:
    """Counts by kind. Found is what is covered whole, by whatever kind."""

    there: Counter[Kind] = field(default_factory=Counter)
    found: Counter[Kind] = field(default_factory=Counter)
    said: Counter[Kind] = field(default_factory=Counter)
    right: Counter[Kind] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def recall(self, kind: Kind) -> float:
        return self.found[kind] / self.there[kind]

    def precision(self, kind: Kind) -> float:
        return self.right[kind] / self.said[kind]

    def table(self) -> str:
        """One line for each kind."""
        head = f"{'kind':<16} {'there':>6} {'recall':>7} {'found':>6} {'precision':>9}"
        return "\n".join(
            [head]
            + [
                f"{kind:<16} {self.there[kind]:>6} {self.recall(kind):>7.3f} "
                f"{self.said[kind]:>6} {self.precision(kind):>9.3f}"
                for kind in sorted(self.there)
            ]
        )


def measured(texts: Iterable[Labelled]) -> Measure:
    measure = Measure()
    for one in texts:
        spans = find(one.text, FINDERS)
        for start, end, kind in one.truth:
            measure.there[kind] += 1
            if _covers(spans, start, end):
                measure.found[kind] += 1
            else:
                measure.missed.append(f"{kind}: {one.text}")
        for span in spans:
            measure.said[span.kind] += 1
            if any(span.start < end and start < span.end for start, end, _ in one.truth):
                measure.right[span.kind] += 1
            else:
                measure.wrong.append(f"{span.kind} {one.text[span.start : span.end]!r}: {one.text}")
    return measure


def _covers(spans: list[Span], start: int, end: int) -> bool:
    """Several findings side by side cover what lies between them too."""
    at = start
    for span in spans:
        if span.start <= at < span.end:
            at = span.end
    return at >= end
