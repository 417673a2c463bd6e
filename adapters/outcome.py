"""The outcome of a question for one customer, and what travels with a question.

"Not found", "no price" and "couldn't ask" are three different things, and a `float | None` cannot
tell them apart. So everything inside speaks `Lookup`s, and only the edge (`adapters.revenue`)
turns them into the models of the contract.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Reason(StrEnum):
    """Why an answer is degraded. A closed list: it is a metric label and part of the interface."""

    BREAKER_OPEN = "breaker_open"
    RATE_LIMITED = "rate_limited"
    OVERLOAD = "overload"
    DEADLINE = "deadline"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    AUTH = "auth"
    VENDOR_ERROR = "vendor_error"
    BAD_RESPONSE = "bad_response"
    IDENTITY = "identity"
    CONFIGURATION = "configuration"
    STALE = "stale"


class LookupFailed(Exception):  # noqa: N818  (a lookup that failed, not an error of ours)
    """Nobody could say. Everything an adapter has not yet learned becomes `Unavailable`.

    `detail` is for the operator. It never holds vendor text, an id or a secret.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        lasting: bool = False,
    ) -> None:
        """`lasting`: the same request will fail again, so there is no use in repeating it."""
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.lasting = lasting

    def as_lookup(self) -> "Unavailable":
        return Unavailable(self.reason, self.retry_after_s)


class NotAsked(LookupFailed):
    """It failed before the vendor was asked, so it says nothing about the vendor.

    No credentials, no token, no slot: the vendor's breaker counts none of them.
    """

    @classmethod
    def instead_of(cls, failure: LookupFailed) -> "NotAsked":
        """The same, of what was met on the way to the vendor."""
        return cls(failure.reason, failure.detail, retry_after_s=failure.retry_after_s)


@dataclass(frozen=True, slots=True)
class Billing:
    """What is known of a customer's billing. All of it is personal data, so its repr is empty."""

    account_id: UUID | None = field(default=None, repr=False)
    plan_name: str | None = field(default=None, repr=False)
    monthly_fee: Decimal | None = field(default=None, repr=False)
    """As `revenue.customer_fee` rounds it; `None`: no decidable price, or two currencies."""
    currency: str | None = field(default=None, repr=False)
    """ISO 4217 code of the customer's own currency; `None`: not known."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """Whether a customer has an active billing dispute within the window of the connection."""

    active: bool = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found(Generic[T_co]):
    """The billing system knows this customer."""

    value: T_co
    stale: bool = False
    """From a cache, past its life: usable, but no longer live."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The billing system says that there is no such customer."""

    stale: bool = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nobody could say, and why."""

    reason: Reason
    retry_after_s: float | None = None
    """Seconds after which asking again may help; `None`: not known."""


Lookup: TypeAlias = Found[T] | Missing | Unavailable
Learn: TypeAlias = Callable[[UUID, Lookup[T]], object]
"""Takes what has been found out about one customer. The first word about a customer stands."""
