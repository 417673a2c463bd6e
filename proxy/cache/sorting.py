"""Of the customers of a question: who is answered now, and who has to be asked about. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from adapters.outcome import Missing
from proxy.cache.rules import Entry, Known, Lives, Luck, State, fresh_for_ms, is_due, judge
from proxy.cache.tally import Tally

T = TypeVar("T")


@dataclass(slots=True)
class Sorted(Generic[T]):
    """All of it is personal data, but for the tally."""

    tally: Tally
    fresh: dict[UUID, Known[T]] = field(default_factory=dict, repr=False)
    due: list[UUID] = field(default_factory=list, repr=False)
    """Those of the fresh ones who should be asked about ahead of time."""
    unknown: list[UUID] = field(default_factory=list, repr=False)
    """All the others, in the order asked."""
    stale: dict[UUID, Known[T]] = field(default_factory=dict, repr=False)
    """What stands in for those of the unknown ones of whom nobody can say."""


def sort(
    customer_ids: Sequence[UUID],
    entries: Mapping[UUID, Entry[T]],
    *,
    now_ms: int,
    lives: Lives,
    luck: Luck,
    tally: Tally,
) -> Sorted[T]:
    """`entries`: of those who may be answered from them."""
    made: Sorted[T] = Sorted(tally)
    for customer_id in customer_ids:
        entry = entries.get(customer_id)
        if entry is None:
            made.unknown.append(customer_id)
            continue
        state = judge(entry, now_ms=now_ms, lives=lives)
        if state is State.FRESH:
            _use(made, customer_id, entry, now_ms, lives, luck)
            continue
        made.unknown.append(customer_id)
        tally.outdated += 1
        if state is State.STALE:
            made.stale[customer_id] = entry.known
    tally.misses += len(made.unknown)
    return made


def _use(
    made: Sorted[T], customer_id: UUID, entry: Entry[T], now_ms: int, lives: Lives, luck: Luck
) -> None:
    made.fresh[customer_id] = entry.known
    made.tally.hit(
        fresh_for_ms=fresh_for_ms(entry, now_ms=now_ms, lives=lives),
        negative=isinstance(entry.known, Missing),
    )
    if is_due(entry, now_ms=now_ms, lives=lives, luck=luck()):
        made.due.append(customer_id)
