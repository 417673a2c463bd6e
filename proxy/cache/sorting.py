"""Of the customers of a question: who is answered now, and who has to be asked about. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from adapters.outcome import Missing
from proxy.cache.rules import Entry, Known, Lives, Luck, State, is_due, judge
from proxy.cache.seal import CLOCK_TOLERANCE_MS
from proxy.cache.tally import Tally

T = TypeVar("T")


@dataclass(slots=True)
class Sorted(Generic[T]):
    """All of it is personal data, but for the tally."""

    tally: Tally
    fresh: list[tuple[UUID, Known[T]]] = field(default_factory=list, repr=False)
    due: list[UUID] = field(default_factory=list, repr=False)
    """Those of the fresh ones who should be asked about ahead of time."""
    unknown: list[UUID] = field(default_factory=list, repr=False)
    """All the others, in the order asked."""
    stale: dict[UUID, Known[T]] = field(default_factory=dict, repr=False)
    """What stands in for those of the unknown ones of whom nobody can say."""


def sort(
    customer_ids: Sequence[UUID],
    entries: Sequence[Entry[T] | None],
    *,
    now_ms: int,
    lives: Lives,
    luck: Luck,
    tally: Tally,
) -> Sorted[T]:
    """`entries`: of each of them, where they may be answered from it."""
    made: Sorted[T] = Sorted(tally)
    fresh, unknown, soonest_ms = made.fresh, made.unknown, tally.fresh_for_ms
    ttl_ms, negative_ttl_ms = lives.ttl_ms, lives.negative_ttl_ms
    for customer_id, entry in zip(customer_ids, entries, strict=True):
        if entry is None:
            unknown.append(customer_id)
            continue
        known, asked_at_ms, until_ms, _, _, _ = entry
        life_ms = negative_ttl_ms if isinstance(known, Missing) else ttl_ms
        age_ms = now_ms - asked_at_ms
        # As `fresh_for_ms` has it, whose calls would take longer than all the rest of this.
        left_ms = min(until_ms - now_ms, life_ms - age_ms)
        if left_ms <= 0 or age_ms < -CLOCK_TOLERANCE_MS:  # as `judge` has it
            unknown.append(customer_id)
            tally.outdated += 1
            if judge(entry, now_ms=now_ms, lives=lives) is State.STALE:
                made.stale[customer_id] = entry.known
            continue
        fresh.append((customer_id, known))
        if soonest_ms is None or left_ms < soonest_ms:
            soonest_ms = left_ms
        # In the first half of a life `is_due` says no: most entries are spared the question.
        if left_ms <= age_ms and is_due(entry, now_ms=now_ms, lives=lives, luck=luck()):
            made.due.append(customer_id)
    tally.fresh_for_ms = soonest_ms
    tally.hits += len(fresh)
    tally.negative += sum(isinstance(known, Missing) for _, known in fresh)
    tally.misses += len(unknown)
    return made
