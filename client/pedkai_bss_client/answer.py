"""What came back, and why it is less than it could be."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

T = TypeVar("T")


@dataclass(frozen=True)
class Degraded:
    """Why an answer is not all live."""

    reason: str
    """The most frequent one: the sidecar's word, or one of `pedkai_bss_client.failure`."""
    unavailable: int
    """Customers about whom nobody could say. None of them when answers are merely `stale`."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """An answer with what the contract's models have no place for."""

    value: T = field(repr=False)
    degraded: Degraded | None
    """`None`: everything is live."""
    correlation_id: str
    """Under which this question is found in the sidecar's log."""


@dataclass(frozen=True)
class Disputes:
    """Who of the customers asked for disputes a bill, and who could not be asked."""

    customer_ids: list[UUID] = field(repr=False)
    """In the order asked."""
    unavailable_customer_ids: list[UUID] = field(repr=False)
    """In the order asked."""
