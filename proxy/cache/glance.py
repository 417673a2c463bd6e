"""What most batches find, in a few steps: entries that are fresh, and make sense at once.

There is no rule of its own in here: what it says of an entry, the longer way says too
(`Envelopes.open_all`, then `sort`), and a test holds the one against the other. Whatever is not
plain is left to that way.
"""

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Generic, NamedTuple, TypeVar, cast

from adapters.outcome import Missing
from proxy.cache.codec import ALL_PARTS, BEFORE_FEE, price
from proxy.cache.envelope import INSIDE, Section
from proxy.cache.rules import Entry, Known, Lives, Luck, is_due
from proxy.cache.seal import CLOCK_TOLERANCE_MS, LONGEST_MS, TIMES

T = TypeVar("T")

_SAID_AT = INSIDE.size
_FEE_AT = _SAID_AT + BEFORE_FEE
_TIMES_BYTES = TIMES.size
_unpack = Struct(f"{INSIDE.format}B{BEFORE_FEE - 1}xB").unpack_from
"""And of what was said: its kind, and where a billing has all its parts, the length of its fee."""


class Glance(NamedTuple, Generic[T]):
    """What was seen. It is personal data, so its repr is empty."""

    known: Sequence[Known[T] | None]
    """Of each customer, where it is fresh."""
    rest: Sequence[int]
    """Places of the others, for the longer way to tell of."""
    negative: int
    """Of those who are known: there is no such customer."""
    fresh_for_ms: int | None
    """Of the one that ends first."""
    due: Sequence[int]
    """Places of those who should be asked about ahead of time."""

    def __repr__(self) -> str:
        return "Glance()"


def glance(  # noqa: C901, PLR0915  (one loop: a call in it would cost as much as half of its steps)
    section: Section[T],
    insides: Iterable[bytes | None],
    *,
    lives: Lives,
    luck: Luck,
    asked_at_ms: int,
    now_ms: int,
    fees_only: bool,
) -> Glance[T]:
    """`insides`: what was sealed, of each customer. `asked_at_ms`: when the question began, by
    which entries are opened; `now_ms`: not earlier, by which they are sorted. Of `fees_only`, see
    `Call`.

    It raises what it stumbles over: then the longer way has to tell of all.
    """
    known: list[Known[T] | None] = []
    rest: list[int] = []
    due: list[int] = []
    add, negative, soonest_ms = known.append, 0, LONGEST_MS + CLOCK_TOLERANCE_MS
    _, _, _, decode, basis = section
    ttl_ms, negative_ttl_ms = lives.ttl_ms, lives.negative_ttl_ms
    latest_ms = asked_at_ms + CLOCK_TOLERANCE_MS
    for inside in insides:
        if inside is None:
            rest.append(len(known))
            add(None)
            continue
        at_ms, ends_at_ms, length, fresh_ms, cost_ms, learned_on, kind, fee = _unpack(inside)
        age_ms = now_ms - at_ms
        left_ms = (fresh_ms if fresh_ms < ttl_ms else ttl_ms) - age_ms  # noqa: FURB136  (a call)
        if left_ms <= 0 or now_ms >= ends_at_ms or at_ms > latest_ms or learned_on != basis:
            rest.append(len(known))
            add(None)
            continue
        end = _TIMES_BYTES + length
        found: Known[T] | None = None
        if fees_only and kind == ALL_PARTS:
            to = _FEE_AT + fee + 2
            to += inside[to - 1]
            if to <= end:  # a section that tells of fees is one of billings
                found = cast("Known[T] | None", price(inside[_FEE_AT:to]))
        if found is None:
            found = decode(inside[_SAID_AT:end])
            if isinstance(found, Missing):
                left_ms = min(left_ms, negative_ttl_ms - age_ms)
                if left_ms <= 0:
                    rest.append(len(known))
                    add(None)
                    continue
                negative += 1
        if left_ms < soonest_ms:  # noqa: PLR1730  (a call)
            soonest_ms = left_ms
        if left_ms <= age_ms:  # in the first half of a life nothing is due
            entry = Entry(found, at_ms, at_ms + fresh_ms, ends_at_ms, cost_ms, learned_on)
            if is_due(entry, now_ms=now_ms, lives=lives, luck=luck()):
                due.append(len(known))
        add(found)
    return Glance(known, rest, negative, soonest_ms if len(rest) < len(known) else None, due)
