"""What pods ask a member, and what becomes of it."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias


class Question:
    """About some customers, to one member, until its deadline."""

    __slots__ = (
        "asked_at",
        "asking",
        "customers",
        "deadline",
        "is_batch",
        "is_early",
        "is_going_on",
        "is_over",
        "left",
        "may_last_until",
        "missed",
        "on_end",
        "todo",
    )

    def __init__(
        self,
        customers: Sequence[int],
        *,
        asked_at: float,
        deadline: float,
        on_end: "OnEnd",
        is_early: bool = False,
    ) -> None:
        self.customers = customers
        self.is_batch = len(customers) > 1 or is_early
        self.is_early = is_early
        """A refresh ahead of an entry's end: nobody waits for it."""
        self.asked_at = asked_at
        self.deadline = deadline
        self.on_end = on_end
        self.left = 0
        """Customers of whom nothing is known yet."""
        self.missed: list[int] = []
        """Those of whom nobody could say."""
        self.is_over = self.is_going_on = False
        self.todo: deque[int] = deque()
        """Customers whom it asks the vendor about; of others another question does."""
        self.asking = 0
        self.may_last_until = deadline
        """What it has begun goes on as long as somebody else waits for it."""


OnEnd: TypeAlias = Callable[[Question], None]


class Exchange:
    """One request to the vendor, with its retries."""

    __slots__ = (
        "began_at",
        "customers",
        "in_flight",
        "of",
        "permit",
        "retry",
        "sent_at",
        "version",
    )

    def __init__(self, customers: Sequence[int], of: Question) -> None:
        self.customers = customers
        self.of = of
        self.retry = 0
        self.began_at = 0.0
        """When it had its slot and its token."""
        self.sent_at = 0.0
        self.in_flight = 0
        self.version = 0
        self.permit: object = None

    @property
    def is_batch(self) -> bool:
        """As of a `Call`."""
        return self.of.is_batch


class Place:
    """In the queue before the slots. It stands for the future that somebody would wait for."""

    __slots__ = ("_told", "exchange", "is_done")

    def __init__(self, exchange: Exchange, told: Callable[[Exchange, bool], None]) -> None:
        self.exchange = exchange
        self.is_done = False
        self._told = told

    def done(self) -> bool:
        return self.is_done

    def set_result(self, has_slot: bool) -> None:  # noqa: FBT001  (a future's)
        self.is_done = True
        self._told(self.exchange, has_slot)
