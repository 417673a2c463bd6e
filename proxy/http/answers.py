"""From lookups to the answer of a question: its body, its headers, its outcome. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter

from adapters import revenue
from adapters.bss_adapter import BillingAccountInfo, RevenueResult
from adapters.lookup import LookupAdapter
from adapters.outcome import Billing, Dispute, Found, Lookup, Reason, Unavailable
from proxy.cache.tally import CACHE, Tally, cache_status
from proxy.http.problems import Problem, ProblemType, unavailable
from proxy.lookup.degradation import Degradation, degradation
from proxy.telemetry.records import Outcome

NOT_ASKED = f"{CACHE}; fwd=bypass"
"""There is no cache, or it had no part in the answer."""
_ACCOUNT = TypeAdapter(BillingAccountInfo)
_REVENUE = TypeAdapter(RevenueResult)
NOBODY = "neither the vendor nor the map from Pedkai's ids to the vendor's knows this id"


class Disputes(BaseModel):
    """Who of the customers asked for disputes a bill, and who could not be asked."""

    customer_ids: list[UUID] = Field(repr=False)
    """Those with an active billing dispute in the last 30 days, in the order asked."""
    unavailable_customer_ids: list[UUID] = Field(repr=False)
    """Those of whom nobody could say, in the order asked."""


@dataclass(slots=True)
class Answer:
    """What goes back to the pod. Its body is personal data."""

    body: bytes | Problem = field(repr=False)
    headers: Mapping[str, str]
    outcome: Outcome
    reason: Reason | None = None
    result: RevenueResult | None = field(default=None, repr=False)
    """What was answered about revenue at risk."""


def billing_account(
    customer_id: UUID, lookup: Lookup[Billing], *, reporting_currency: str, tally: Tally
) -> Answer:
    cached = _cached(tally)
    lacks = None if type(lookup) is Found and not lookup.stale else degradation([lookup])
    if lacks is not None and isinstance(lookup, Unavailable):
        return _answer(unavailable(lacks), lacks, cached)
    info = revenue.billing_account(customer_id, lookup, reporting_currency=reporting_currency)
    if info is None:
        return _answer(
            Problem(ProblemType.UNKNOWN_CUSTOMER, NOBODY), lacks, cached, Outcome.MISSING
        )
    return _answer(_ACCOUNT.dump_json(info), lacks, cached)


def revenue_at_risk(
    lookups: Sequence[Lookup[Billing]], adapter: LookupAdapter, tally: Tally
) -> Answer:
    result = revenue.revenue_result(
        lookups,
        source=adapter.source,
        is_estimate=adapter.is_estimate,
        reporting_currency=adapter.reporting_currency,
    )
    cached = _cached(tally, batch=len(lookups))
    made = _answer(_REVENUE.dump_json(result), degradation(lookups), cached)
    made.result = result
    return made


def nobody_could_say(customers: int, source: str, reason: Reason, tally: Tally) -> Answer:
    """The contract's degraded result (section 4), whatever went wrong."""
    result = RevenueResult(
        is_estimate=True,
        source=source,
        unpriced_customer_count=customers,
        requires_manual_valuation=customers > 0,
    )
    lacks = degradation([Unavailable(reason)] * customers)
    return _answer(_REVENUE.dump_json(result), lacks, _cached(tally, batch=customers))


def disputes(lookups: Mapping[UUID, Lookup[Dispute]], tally: Tally) -> Answer:
    lacks = degradation(lookups.values())
    cached = _cached(tally, batch=len(lookups))
    if lacks is not None and revenue.none_could_be_asked(lookups.values()) is not None:
        return _answer(unavailable(lacks), lacks, cached)
    answer = Disputes(
        customer_ids=revenue.disputed(lookups),
        unavailable_customer_ids=[
            customer_id
            for customer_id, lookup in lookups.items()
            if isinstance(lookup, Unavailable)
        ],
    )
    return _answer(answer.model_dump_json().encode(), lacks, cached)


def _answer(
    body: bytes | Problem,
    lacks: Degradation | None,
    cached: Mapping[str, str],
    outcome: Outcome = Outcome.ANSWERED,
) -> Answer:
    if lacks is None:
        return Answer(body, cached, outcome)
    headers = {**cached, "BSS-Degraded": lacks.header}
    return Answer(body, headers, Outcome.DEGRADED, lacks.reason)


def _cached(tally: Tally, *, batch: int | None = None) -> Mapping[str, str]:
    """RFC 9211. `batch`: how many customers a batch is about; of nobody there is nothing to say."""
    if batch is None and tally.fresh_for_ms is not None and not tally.misses:
        return _hit(max(0, tally.fresh_for_ms) // 1000)
    if batch == 0:
        return {}
    return {"Cache-Status": cache_status(tally, is_batch=batch is not None) or NOT_ASKED}


@lru_cache(maxsize=512)
def _hit(seconds: int) -> Mapping[str, str]:
    """One customer who was known, and is for so long: no more of these than seconds in a life."""
    only = Tally(hits=1, fresh_for_ms=seconds * 1000)
    return MappingProxyType({"Cache-Status": cache_status(only, is_batch=False)})
