"""What is told of a question afterwards. There is no field for anything personal."""

from dataclasses import dataclass
from enum import StrEnum

from adapters.outcome import Reason


class Question(StrEnum):
    """What a pod can ask. A metric label: part of the interface."""

    BILLING_ACCOUNT = "billing_account"
    REVENUE_AT_RISK = "revenue_at_risk"
    DISPUTES = "disputes"
    FORGET = "forget"


class Outcome(StrEnum):
    """How a question ended. A metric label: part of the interface."""

    ANSWERED = "answered"
    MISSING = "missing"  # the vendor says: no such customer
    DEGRADED = "degraded"  # answered in part or from stale data, or nobody could say
    CANCELLED = "cancelled"  # the pod hung up
    FAILED = "failed"  # a mistake of the sidecar's own


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRecord:
    """One question of a known tenant, once it is over."""

    question: Question
    correlation_id: str
    tenant: str
    connection: str
    ids: int
    """Customers asked for, duplicates included."""
    outcome: Outcome
    reason: Reason | None
    """Why the answer is degraded."""
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRecord:
    """One request that was not let through: what was wrong with it, never what it said."""

    listener: str
    correlation_id: str
    problem: str
    status: int


class ConfigurationState(StrEnum):
    """What the sidecar serves with. A metric label: part of the interface."""

    GOOD = "good"  # as the file says
    OUTDATED = "outdated"  # the file has become bad; the last good one serves on
    BAD = "bad"  # nothing to serve with: every question is answered degraded
