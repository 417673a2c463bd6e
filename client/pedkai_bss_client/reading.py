"""What is received: from a reply to an answer, or to a failure. Pure.

The sidecar is believed only where its answer is whole and fits the question: a default must not
stand in for a field that did not come.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from pedkai_bss_client.answer import Degraded, Disputes
from pedkai_bss_client.contract import BillingAccountInfo, RevenueResult
from pedkai_bss_client.failure import (
    SIDECAR_BAD_RESPONSE,
    SIDECAR_ERROR,
    SIDECAR_REFUSED,
    Failure,
)

_PROBLEM = "urn:bss-sidecar:problem:"
_UNKNOWN_CUSTOMER = f"{_PROBLEM}unknown-customer"
_WORD = re.compile(r"[a-z][a-z_-]{0,39}")
_DEGRADED = re.compile(r"([a-z][a-z_]{0,39});unavailable=([0-9]{1,9})")
_SECONDS = re.compile(r"[0-9]{1,6}")
_BAD = Failure(SIDECAR_BAD_RESPONSE, detail="the answer does not keep to the contract")

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Reply:
    """What came over the wire."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in any case."""
    body: bytes = field(repr=False)


class _DisputesBody(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    customer_ids: list[UUID]
    unavailable_customer_ids: list[UUID]


def billing_account(reply: Reply, customer_id: UUID) -> BillingAccountInfo | Failure | None:
    """`None` only where the sidecar says in so many words that there is no such customer."""
    if reply.status == 404 and _problem(reply).get("type") == _UNKNOWN_CUSTOMER:
        return None
    if reply.status != 200:
        return failure(reply)
    account = _model(BillingAccountInfo, reply.body)
    return account if account is not None and account.customer_id == customer_id else _BAD


def revenue_at_risk(reply: Reply, customers: int) -> RevenueResult | Failure:
    """`customers`: how many different ones were asked about."""
    if reply.status != 200:
        return failure(reply)
    result = _model(RevenueResult, reply.body)
    return result if result is not None and _adds_up(result, customers) else _BAD


def disputes(reply: Reply, ids: Sequence[UUID]) -> Disputes | Failure:
    if reply.status != 200:
        return failure(reply)
    body = _model(_DisputesBody, reply.body)
    if body is None or not {*body.customer_ids, *body.unavailable_customer_ids} <= {*ids}:
        return _BAD
    return Disputes(body.customer_ids, body.unavailable_customer_ids)


def degraded(reply: Reply) -> Degraded | None:
    """From the header `BSS-Degraded: <reason>;unavailable=<n>`."""
    header = reply.headers.get("BSS-Degraded")
    if header is None:
        return None
    matched = _DEGRADED.fullmatch(header.strip())
    if matched is None:
        return Degraded(SIDECAR_BAD_RESPONSE, 0)
    return Degraded(matched[1], int(matched[2]))


def failure(reply: Reply) -> Failure:
    """What a reply that is no answer means."""
    problem = _problem(reply)
    kind = _word(problem.get("type", "").removeprefix(_PROBLEM))
    detail = f"{reply.status} {kind}".strip()
    if 400 <= reply.status < 500:
        return Failure(SIDECAR_REFUSED, detail=detail, too_large=reply.status == 413)
    seconds = reply.headers.get("Retry-After", "")
    return Failure(
        (_word(problem.get("reason", "")) if reply.status == 503 else "") or SIDECAR_ERROR,
        retry_after=float(seconds) if _SECONDS.fullmatch(seconds) else None,
        detail=detail,
    )


def _adds_up(result: RevenueResult, customers: int) -> bool:
    """Rule for rule what the contract says of the fields together."""
    priced, unpriced = result.priced_customer_count, result.unpriced_customer_count
    total = result.total_revenue_at_risk
    return (
        min(priced, unpriced) >= 0
        and priced + unpriced == customers
        and (total is None) == (priced == 0)
        and (total is None or total >= 0)
        and result.requires_manual_valuation == (unpriced > 0)
    )


def _model(kind: type[Model], body: bytes) -> Model | None:
    """`None` unless every field came, with the type that it has in the contract."""
    try:
        made = kind.model_validate_json(body, strict=True)
    except ValueError:
        return None
    return made if made.model_fields_set >= set(kind.model_fields) else None


def _problem(reply: Reply) -> Mapping[str, str]:
    """The words of an RFC 9457 problem, if it is one."""
    try:
        content = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: text for name, text in content.items() if isinstance(text, str)}


def _word(text: str) -> str:
    """A word such as reasons are; anything else is dropped, for it goes into a log."""
    return text if _WORD.fullmatch(text) else ""
