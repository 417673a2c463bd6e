"""What is told of questions and of credentials. No field is for anything personal or secret."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

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
class Aggregate:
    """What the customers of one batch add up to. Of few customers it is personal."""

    total_revenue_at_risk: float | None = field(repr=False)
    priced_customer_count: int
    currency: str

    def told(self) -> dict[str, object]:
        """In the contract's names, by which the scrubber knows an aggregate."""
        return {
            "total_revenue_at_risk": self.total_revenue_at_risk,
            "priced_customer_count": self.priced_customer_count,
            "currency": self.currency,
        }


@dataclass(slots=True, kw_only=True)
class QuestionRecord:
    """One question of a known tenant, once it is over. Nobody changes it.

    Not frozen, because one is made for each question, and that takes three times as long.
    """

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
    aggregate: Aggregate | None = None
    """Of a question about revenue at risk that was answered."""


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


class BreakerState(StrEnum):
    """Whether a breaker lets anybody through. A metric label: part of the interface."""

    CLOSED = "closed"  # traffic flows
    OPEN = "open"  # nothing leaves
    HALF_OPEN = "half_open"  # a few probes leave; the first outcome decides
    FORCED_OPEN = "forced_open"  # nothing leaves until an operator says so
    FORCED_CLOSED = "forced_closed"  # traffic flows until an operator says otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRecord:
    """One breaker at one moment."""

    connection: str
    name: str
    """`vendor`, `token`, `identity` or `database`: a metric label, part of the interface."""
    state: BreakerState
    opens_for_s: float = 0.0
    """Until it lets a probe through; 0 unless it is open."""
    because: str = ""
    """Why it opened the last time, in our words; empty: it never did."""
    calls: int = 0
    """Exchanges that its window counts."""
    failure_rate: float = 0.0
    slow_call_rate: float = 0.0
    opened_times: int = 0

    @property
    def is_forced(self) -> bool:
        return self.state in {BreakerState.FORCED_OPEN, BreakerState.FORCED_CLOSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRecord:
    """What stands between a connection's questions and who is asked, at one moment."""

    connection: str
    breakers: tuple[BreakerRecord, ...] = ()
    in_flight: int = 0
    """Exchanges that have a slot."""
    queued: int = 0
    """Exchanges that wait for one."""
    concurrency_limit: int = 0
    """Slots that there are now, which a slow vendor makes fewer."""


class Reload(StrEnum):
    """What became of something that rotates. A metric label: part of the interface."""

    TAKEN = "taken"  # serves from now on
    REFUSED = "refused"  # bad; the last good one serves on


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """What is wrong with a file, for the operator. Nothing of its content is in it."""

    kind: Literal[
        "credentials",
        "token_file",
        "listener_certificate",
        "database_url",
        "identity_file",
        "cache_keys",
        "cache_login",
    ]
    """A metric label: part of the interface."""
    connection: str
    """`-`: the sidecar's own."""
    file: str
    what: str
    remedy: str
    serious: bool = True
    """Whether it keeps the file from being taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRecord:
    """A certificate's times."""

    role: str
    """`client`, `client_chain`, `trust_bundle_first`, `trust_bundle_last` or `listener`; those of
    a Redis are `redis_client` and so on. A metric label, part of the interface."""
    subject: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsRecord:
    """The credentials of one connection at one moment."""

    connection: str
    version: int = 0
    """0: there are none yet."""
    loaded_at: datetime | None = None
    certificates: tuple[CertificateRecord, ...] = ()
    token_left_s: float | None = None
    """Until the OAuth2 access token ends; `None`: there is none."""
    open_connections: int = 0
    """To the vendor and its token endpoint, in use or idle."""
    clock_skews: tuple[tuple[str, float], ...] = ()
    """Seconds by which a clock is ahead of ours: of `vendor`, of `token` (the issuer)."""
    files: tuple[FileRecord, ...] = ()
    """Those with which something is wrong."""
    outcome: str | None = None
    """Of the latest exchange: `ok`, or the reason of its failure; `None` before the first."""
    problem: str = ""
    """What was wrong with it, in our words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRecord:
    """The cache at one moment."""

    store: str
    """`off`, `memory`, `redis`, `redis-sentinel` or `redis-cluster`."""
    problem: str = ""
    """Why nothing can be kept, for the operator; or empty."""
    pending: int = 0
    """Entries that wait to be written."""
    refreshing: int = 0
    """Customers who are asked about ahead of time, or whose entry rests after that failed."""
    entries: int | None = None
    """In the memory store."""
    size: int | None = None
    """Bytes that they take."""
    breakers: tuple[BreakerRecord, ...] = ()
    """`reads` and `writes` of a Redis."""
    failure: str = ""
    """What was wrong the last time that a Redis could not be used, while a breaker is open."""
    persistence: str = ""
    """How a Redis writes to a disk: `none`, `rdb`, `aof`, `rdb+aof` or `unknown`; empty: it has not
    said yet, or there is none."""
    warning: str = ""
    """What the operator should think about."""
    master_keys: int = 0
    name_keys: int = 0
