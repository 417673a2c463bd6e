"""Whether an answer keeps the promise: contract, design, and the vendors' truth. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, TypeAlias
from uuid import UUID

from pydantic import ValidationError

from adapters.bss_adapter import BillingAccountInfo, RevenueResult
from adapters.outcome import Reason
from adapters.simulator.population import CURRENCY, CUSTOMERS, customer_id, truth

Kind: TypeAlias = Literal["account", "revenue", "disputes"]

BUDGETS_S: Mapping[Kind, float] = {"account": 0.45, "revenue": 1.9, "disputes": 1.9}
FEW = 12
"""Up to so many customers a total must be the sum of some of them; above, within bounds."""
PROBLEM = "application/problem+json"
UNAVAILABLE = "urn:bss-sidecar:problem:unavailable"
UNKNOWN_CUSTOMER = "urn:bss-sidecar:problem:unknown-customer"
STRAIN = frozenset(
    {Reason.DEADLINE, Reason.OVERLOAD, Reason.BREAKER_OPEN, Reason.UNREACHABLE, Reason.IDENTITY}
)
"""Reasons that a machine which is busy elsewhere can bring about by itself."""


@dataclass(frozen=True, slots=True)
class Question:
    kind: Kind
    tenant: str
    source: str
    """What a result calls the vendor."""
    numbers: tuple[int, ...]
    """Of the customers, as `population` numbers them; duplicates count once."""

    @property
    def budget_s(self) -> float:
        return BUDGETS_S[self.kind]

    @property
    def distinct(self) -> tuple[int, ...]:
        return tuple(dict.fromkeys(self.numbers))

    @property
    def name(self) -> str:
        return f"{self.kind} of {len(self.numbers)}"


@dataclass(frozen=True, slots=True)
class Said:
    """What came back. The body is personal data, if made-up."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leeway:
    """What the faults in force excuse."""

    reasons: frozenset[Reason] = frozenset()
    may_unprice: bool = False
    """The vendor's rows are such that a price may honestly be undecidable."""
    may_deny: bool = False
    """The vendor says by itself, in so many words, that there is no such customer."""


@dataclass(frozen=True, slots=True)
class Degraded:
    """`BSS-Degraded`."""

    reason: Reason
    unavailable: int


@dataclass(frozen=True, slots=True)
class Verdict:
    wrong: tuple[str, ...] = ()
    """What breaks the promise, in words without figures of customers."""
    degraded: Degraded | None = None
    unexpected: bool = False
    """It is degraded for a reason that the faults in force do not give."""
    is_full: bool = False
    """Everything was answered."""


class Broken(Exception):  # noqa: N818  (a promise, not an error)
    """What an answer is not."""


class Judge:
    """Knows the truth of some tenants."""

    def __init__(self, tenants: Sequence[str], now: datetime) -> None:
        self._truths = {
            tenant: [truth(tenant, n, now) for n in range(CUSTOMERS)] for tenant in tenants
        }

    def verdict(self, question: Question, said: Said | None, leeway: Leeway) -> Verdict:
        """`None`: there was no answer."""
        if said is None:
            return Verdict(("no answer",))
        judge = {
            "account": self._account, "revenue": self._revenue, "disputes": self._disputes,
        }[question.kind]  # fmt: skip
        try:
            lacks = degraded(said)
            judge(question, said, lacks, leeway)
        except Broken as broken:
            return Verdict((f"{question.name}: {broken}",))
        except (ValidationError, json.JSONDecodeError, KeyError) as error:
            return Verdict((f"{question.name}: not of the promised form ({type(error).__name__})",))
        if lacks is None:
            return Verdict(is_full=True)
        return Verdict(degraded=lacks, unexpected=lacks.reason not in leeway.reasons)

    def fee(self, tenant: str, number: int) -> int | None:
        """In pennies."""
        fee = self._truths[tenant][number].monthly_fee
        return None if fee is None else int(fee * 100)

    def _account(
        self, question: Question, said: Said, lacks: Degraded | None, leeway: Leeway
    ) -> None:
        (number,) = question.numbers
        true = self._truths[question.tenant][number]
        if said.status == 503:
            _check_refusal(said, lacks, among=1)
            return
        _must(lacks is None, "degraded, and answered all the same")
        if said.status == 404:
            _must(not true.known or leeway.may_deny, "a customer whom the vendor knows is 404")
            _must(_problem(said)["type"] == UNKNOWN_CUSTOMER, "a 404 of another type")
            return
        _must(said.status == 200, f"status {said.status}")
        _must(true.known, "a customer whom the vendor does not know has an account")
        info = BillingAccountInfo.model_validate_json(said.body)
        owner = customer_id(question.tenant, number)
        _must(info.customer_id == owner, "the account of another customer")
        _must(info.currency == CURRENCY, "another currency")
        fee = None if info.monthly_fee is None else Decimal(repr(info.monthly_fee))
        if fee is None and leeway.may_unprice:
            return
        _must(fee == true.monthly_fee, "a wrong fee")

    def _revenue(
        self, question: Question, said: Said, lacks: Degraded | None, leeway: Leeway
    ) -> None:
        _must(said.status == 200, f"status {said.status}")
        result = RevenueResult.model_validate_json(said.body)
        priced, unpriced = result.priced_customer_count, result.unpriced_customer_count
        distinct = question.distinct
        _must(priced + unpriced == len(distinct), "priced and unpriced are not all who were asked")
        _must(result.requires_manual_valuation == (unpriced > 0), "manual valuation is wrong")
        _must(result.source == question.source, "another source")
        _must(result.is_estimate == (lacks is not None), "is_estimate does not say what is lacking")
        _must((result.total_revenue_at_risk is None) == (priced == 0), "a total of nobody")
        fees = [self.fee(question.tenant, n) for n in distinct]
        true = sum(fee is not None for fee in fees)
        missing = lacks.unavailable if lacks else 0
        _must(missing <= unpriced, "more are unavailable than are unpriced")
        _must(priced <= true, "more are priced than the truth can give")
        _must(leeway.may_unprice or leeway.may_deny or priced >= true - missing,
              "somebody was neither priced nor unavailable")  # fmt: skip
        if result.total_revenue_at_risk is not None:
            total = Decimal(repr(result.total_revenue_at_risk)) * 100
            known = tuple(sorted(fee for fee in fees if fee is not None))
            _must(total == int(total), "a total in fractions of a penny")
            _must(is_possible(int(total), priced, known), "a total that no truth can give")

    def _disputes(
        self, question: Question, said: Said, lacks: Degraded | None, leeway: Leeway
    ) -> None:
        asked = [customer_id(question.tenant, n) for n in question.distinct]
        if said.status == 503:
            _check_refusal(said, lacks, among=len(asked))
            return
        _must(said.status == 200, f"status {said.status}")
        told: dict[str, Any] = json.loads(said.body)
        disputing = [UUID(one) for one in told.pop("customer_ids")]
        unavailable = [UUID(one) for one in told.pop("unavailable_customer_ids")]
        _must(not told, "more than is promised")
        _must(not set(disputing) & set(unavailable), "disputing and unavailable at once")
        for named in (disputing, unavailable):
            _must(named == [one for one in asked if one in set(named)], "not in the order asked")
        _must(len(unavailable) == (lacks.unavailable if lacks else 0), "the header counts others")
        truths = self._truths[question.tenant]
        for number, one in zip(question.distinct, asked, strict=True):
            if one in disputing:
                _must(truths[number].disputed, "a dispute that nobody has")
            elif one not in unavailable:
                honest = not truths[number].disputed or leeway.may_deny or leeway.may_unprice
                _must(honest, "a dispute was left out")


def degraded(said: Said) -> Degraded | None:
    header = said.headers.get("bss-degraded")
    if header is None:
        return None
    reason, _, detail = header.partition(";unavailable=")
    _must(reason in set(Reason), "a reason that is not on the list")
    _must(detail.isdecimal() and int(detail) > 0, "degraded, and nobody is unavailable")
    return Degraded(Reason(reason), int(detail))


def is_possible(total: int, count: int, fees: tuple[int, ...]) -> bool:
    """Whether so many of these fees, sorted, can come to this total: exactly so for a few."""
    if count > len(fees):
        return False
    if len(fees) <= FEW:
        return total in subset_sums(fees)[count]
    return sum(fees[:count]) <= total <= sum(fees[len(fees) - count :])


@lru_cache(maxsize=4_096)
def subset_sums(fees: tuple[int, ...]) -> Sequence[frozenset[int]]:
    """By how many are added, all the sums that there are."""
    sums: list[set[int]] = [{0}, *(set() for _ in fees)]
    for number, fee in enumerate(fees):
        for count in range(number, -1, -1):
            sums[count + 1] |= {one + fee for one in sums[count]}
    return [frozenset(one) for one in sums]


def _check_refusal(said: Said, lacks: Degraded | None, *, among: int) -> None:
    """A 503 as it is designed."""
    if lacks is None:
        raise Broken("a 503 that does not say why")
    _must(1 <= lacks.unavailable <= among, "a 503 that counts others")
    problem = _problem(said)
    _must(problem["type"] == UNAVAILABLE, "a 503 of another type")
    _must(problem["reason"] == lacks.reason, "header and problem name different reasons")
    after = said.headers.get("retry-after", "")
    _must(after.isdecimal() and 1 <= int(after) <= 60, "a 503 without a good Retry-After")


def _problem(said: Said) -> dict[str, Any]:
    _must(said.headers.get("content-type", "").startswith(PROBLEM), "an error that is no problem")
    problem: dict[str, Any] = json.loads(said.body)
    _must(problem["status"] == said.status, "a problem of another status")
    return problem


def _must(holds: bool, otherwise: str) -> None:  # noqa: FBT001  (what must hold)
    if not holds:
        raise Broken(otherwise)


def reasons(verdicts: Sequence[Verdict]) -> Iterator[Reason]:
    return (one.degraded.reason for one in verdicts if one.degraded)
