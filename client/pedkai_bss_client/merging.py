"""From the parts of a question to its one answer, by the rules of the answer. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from typing import Generic, TypeVar
from uuid import UUID

from pedkai_bss_client.answer import Degraded, Disputes
from pedkai_bss_client.contract import RevenueResult
from pedkai_bss_client.failure import CLIENT_ERROR, Failure

T_co = TypeVar("T_co", covariant=True)

UNAVAILABLE = "unavailable"
"""The `source` of a result that no sidecar gave."""
_EXACT = Context(prec=400)
"""Wide enough that no sum of floats that a part may hold is rounded on the way."""


@dataclass(frozen=True)
class Part(Generic[T_co]):
    """Some of the customers asked for, and what was said about them."""

    ids: Sequence[UUID] = field(repr=False)
    outcome: T_co | Failure = field(repr=False)
    degraded: Degraded | None = None
    """What an answered part lacks."""


def revenue(parts: Sequence[Part[RevenueResult]], *, invalid: int = 0) -> RevenueResult:
    """One result for all. Who was not answered about is unpriced, and makes it an estimate.

    Totals are added as the decimal numbers that they stand for, so pennies stay pennies.
    `invalid`: how many were handed in that are no customer ids.
    """
    results = [part.outcome for part in parts if not isinstance(part.outcome, Failure)]
    lost = invalid + sum(len(part.ids) for part in parts if isinstance(part.outcome, Failure))
    unpriced = lost + sum(one.unpriced_customer_count for one in results)
    return RevenueResult(
        total_revenue_at_risk=_total(one.total_revenue_at_risk for one in results),
        is_estimate=lost > 0 or not results or any(one.is_estimate for one in results),
        source=results[0].source if results else UNAVAILABLE,
        priced_customer_count=sum(one.priced_customer_count for one in results),
        unpriced_customer_count=unpriced,
        requires_manual_valuation=unpriced > 0,
    )


def disputes(parts: Sequence[Part[Disputes]]) -> Disputes | Failure:
    """One answer for all; a failure when none of the parts was answered."""
    if all(isinstance(part.outcome, Failure) for part in parts):
        return failure(parts)
    found: list[UUID] = []
    unavailable: list[UUID] = []
    for part in parts:
        if isinstance(part.outcome, Failure):
            unavailable += part.ids
        else:
            found += part.outcome.customer_ids
            unavailable += part.outcome.unavailable_customer_ids
    return Disputes(found, unavailable)


def failure(parts: Sequence[Part[object]]) -> Failure:
    """The most frequent failure, and the earliest moment at which anybody may be answered."""
    failures = [part.outcome for part in parts if isinstance(part.outcome, Failure)]
    if not failures:
        return Failure(CLIENT_ERROR)
    counted = Counter(one.reason for one in failures)
    ((reason, _),) = counted.most_common(1)
    retry = [one.retry_after for one in failures if one.retry_after is not None]
    return Failure(
        reason,
        retry_after=min(retry, default=None),
        detail=next(one.detail for one in failures if one.reason == reason),
    )


def degraded(parts: Iterable[Part[object]], *, invalid: int = 0) -> Degraded | None:
    """What the answer lacks: the most frequent reason, by customers; of equals, the first."""
    counted: Counter[str] = Counter()
    if invalid:
        counted[CLIENT_ERROR] = invalid
    for part in parts:
        if isinstance(part.outcome, Failure):
            counted[part.outcome.reason] += len(part.ids)
        elif part.degraded is not None:
            counted[part.degraded.reason] += part.degraded.unavailable
    if not counted:
        return None
    ((reason, _),) = counted.most_common(1)
    return Degraded(reason, sum(counted.values()))


def _total(totals: Iterable[float | None]) -> float | None:
    amounts = [Decimal(repr(one)) for one in totals if one is not None]
    with localcontext(_EXACT):
        return float(sum(amounts, Decimal(0))) if amounts else None
