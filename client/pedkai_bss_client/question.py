"""What is sent. Pure: ids are made distinct, split, and written down."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

MOST_IDS = 200
"""Customers in one request, as the contract's batch has it."""
LONGEST_MS = 999_999_999
_REVENUE, _DISPUTES = "/v1/revenue-at-risk", "/v1/disputes"


@dataclass(frozen=True)
class Question:
    """One request to the sidecar."""

    method: str
    path: str = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


def distinct(customer_ids: Iterable[object]) -> tuple[Sequence[UUID], int]:
    """Each customer once, in the order given, and how many were given that are no customer ids.

    Whatever is handed in, this does not raise: an incident must not fail on it.
    """
    try:
        given = list(customer_ids)
    except Exception:  # noqa: BLE001  (no list of ids is one thing that is no customer id)
        return (), 1
    ids = [_uuid(one) for one in given]
    return tuple(dict.fromkeys(one for one in ids if one is not None)), ids.count(None)


def parts(ids: Sequence[UUID], most: int) -> Iterator[Sequence[UUID]]:
    """The ids in lists of `most`; nobody at all is one empty list."""
    for start in range(0, max(len(ids), 1), most):
        yield ids[start : start + most]


def billing_account(customer_id: UUID) -> Question:
    return Question("GET", f"/v1/customers/{customer_id}/billing-account")


def revenue_at_risk(ids: Sequence[UUID]) -> Question:
    return Question("POST", _REVENUE, _body(ids))


def disputes(ids: Sequence[UUID]) -> Question:
    return Question("POST", _DISPUTES, _body(ids))


def told_ms(timeout_s: float, remaining_s: float, questions: int) -> int:
    """How long the sidecar is told that it may take, in milliseconds.

    Less than what remains, so that an answer about those who are known in time still gets here and
    can be read; the more so, the more questions are under way.
    """
    margin_s = min(timeout_s / 4, timeout_s / 20 + 0.005 * questions)
    return min(max(int((remaining_s - margin_s) * 1000), 1), LONGEST_MS)


def _body(ids: Sequence[UUID]) -> bytes:
    return json.dumps({"customer_ids": [str(one) for one in ids]}).encode()


def _uuid(one: object) -> UUID | None:
    if isinstance(one, UUID):
        return one
    try:
        return UUID(str(one))
    except Exception:  # noqa: BLE001  (whatever is no UUID)
        return None
