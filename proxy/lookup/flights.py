"""Which customers are being asked about, and which questions wait for word of them.

Nothing waits here and no task is started: who hears what, and what nobody waits for any more,
follows from calls alone.
"""

import asyncio
from collections.abc import Sequence
from typing import Generic, TypeVar
from uuid import UUID

from adapters.call import Budget, Call
from adapters.lookup import TIMER_SLACK_S
from adapters.outcome import Learn, Lookup, Reason, Unavailable

T = TypeVar("T")

LAST_MOMENT_S = TIMER_SLACK_S
"""An end that is nearer may have come already, and can't be moved away any more."""


class Room:
    """How many customers the questions of one desk may wait for at once, all of them together."""

    __slots__ = ("_most", "taken")

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    @property
    def left(self) -> int:
        return max(0, self._most - self.taken)


class Waiter(Generic[T]):
    """One question, and what it still waits for."""

    __slots__ = ("_arrivals", "_learn", "answered", "expected")

    def __init__(self, learn: Learn[T], answered: "asyncio.Future[None]") -> None:
        """`answered` gets its result with the last word that is expected."""
        self._learn = learn
        self.answered = answered
        self.expected = 0
        """Customers of whom there is no word yet."""
        self._arrivals: list[Arrival[T]] = []

    def expect(self, arrival: "Arrival[T]") -> None:
        self.expected += 1
        self._arrivals.append(arrival)

    def hear(self, customer_id: UUID, lookup: Lookup[T]) -> None:
        self.expected -= 1
        self._learn(customer_id, lookup)
        if not self.expected and not self.answered.done():
            self.answered.set_result(None)

    def leave(self) -> list["Flight[T]"]:
        """Waits no more. The flights for which nobody else waits."""
        if not self.expected:
            return []
        left = {arrival.flight: None for arrival in self._arrivals if arrival.drop(self)}
        return [flight for flight in left if not flight.waiting]


class Arrival(Generic[T]):
    """One customer of whom a flight is to bring word, and who waits for it.

    It takes the room of one however many leave, and of one more for each further waiter.
    """

    __slots__ = ("_waiters", "flight")

    def __init__(self, flight: "Flight[T]", waiter: Waiter[T]) -> None:
        self.flight = flight
        self._waiters: dict[Waiter[T], None] = {waiter: None}

    def admit(self, waiter: Waiter[T]) -> bool:
        """Whether there was room for one more to wait."""
        room = self.flight.room
        if self._waiters:
            if not room.left:
                return False
            room.taken += 1
        self._waiters[waiter] = None
        self.flight.waiting += 1
        waiter.expect(self)
        return True

    def drop(self, waiter: Waiter[T]) -> bool:
        """Whether it was still waiting."""
        if waiter not in self._waiters:
            return False
        del self._waiters[waiter]
        self.flight.waiting -= 1
        if self._waiters:
            self.flight.room.taken -= 1
        return True

    def come(self) -> Sequence[Waiter[T]]:
        """Who is to hear the word that is there."""
        waiters = tuple(self._waiters)
        self._waiters.clear()
        self.flight.waiting -= len(waiters)
        self.flight.room.taken -= max(1, len(waiters))
        return waiters


class Flight(Generic[T]):
    """One lookup under way, about one customer or many."""

    def __init__(self, call: Call, board: dict[UUID, Arrival[T]], room: Room) -> None:
        """`call`: of the question that it begins with. Its own may get a longer budget."""
        self.call = call.until(Budget(call.deadline))
        self.room = room
        self.waiting = 0
        """Arrivals that somebody waits for, counted once for each waiter."""
        self.closed = False
        """It is over, or nobody waits any more: nobody may join."""
        self.task: asyncio.Task[None] | None = None
        self.rest = Unavailable(Reason.VENDOR_ERROR)
        """What is to be said of those of whom it has brought no word when it is over."""
        self._board = board
        self._aboard: dict[UUID, Arrival[T]] = {}

    def take(self, customer_ids: Sequence[UUID], waiter: Waiter[T]) -> None:
        for customer_id in customer_ids:
            arrival = Arrival(self, waiter)
            self._aboard[customer_id] = self._board[customer_id] = arrival
            waiter.expect(arrival)
        self.waiting += len(customer_ids)
        self.room.taken += len(customer_ids)

    def suits(self, call: Call, now: float) -> bool:
        """Whether a question may join: it can be kept up for as long as the question waits."""
        ends = self.call.deadline
        return not self.closed and (ends >= call.deadline or ends - now > LAST_MOMENT_S)

    def learn(self, customer_id: UUID, lookup: Lookup[T]) -> None:
        """Word of one customer. The first one stands; word of a stranger is nobody's."""
        arrival = self._aboard.pop(customer_id, None)
        if arrival is None:
            return
        if self._board.get(customer_id) is arrival:  # and not that of a later flight
            del self._board[customer_id]
        for waiter in arrival.come():
            waiter.hear(customer_id, lookup)
        if self._aboard and not self.waiting:
            self.cancel()

    def land(self) -> None:
        """It is over: whoever still waits hears so."""
        self.closed = True
        for customer_id in list(self._aboard):
            self.learn(customer_id, self.rest)

    def cancel(self) -> None:
        """Nobody waits any more, so nobody need be asked."""
        if not self.closed and self.task is not None:
            self.task.cancel()
        self.closed = True


class Flights(Generic[T]):
    """Those that answer one kind of question at one desk."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._singles: dict[UUID, Arrival[T]] = {}
        self._batches: dict[UUID, Arrival[T]] = {}
        self._up: set[Flight[T]] = set()

    def __len__(self) -> int:
        return len(self._up)

    def with_a_batch(self, customer_id: UUID, call: Call, now: float) -> Arrival[T] | None:
        """Where a batch asks about this customer, and no single question does."""
        if not self._batches or _open(self._singles, customer_id, call, now):
            return None
        return _open(self._batches, customer_id, call, now)

    def with_a_single(self, customer_id: UUID, call: Call, now: float) -> Arrival[T] | None:
        return _open(self._singles, customer_id, call, now)

    def join(
        self, customer_ids: Sequence[UUID], call: Call, waiter: Waiter[T], now: float
    ) -> tuple[Sequence[UUID], Sequence[UUID]]:
        """Waits with those who wait already. The customers about whom nobody asks yet, and those
        for whom there is no more room.
        """
        unknown: list[UUID] = []
        refused: list[UUID] = []
        first, then = self._singles, self._batches
        if call.is_batch:
            first, then = then, first
        if not first and not then:
            unknown.extend(customer_ids)
            customer_ids = ()
        for customer_id in customer_ids:
            arrival = _open(first, customer_id, call, now) or _open(then, customer_id, call, now)
            if arrival is None:
                unknown.append(customer_id)
            elif not self.wait_at(arrival, call, waiter):
                refused.append(customer_id)
        fit = self._room.left
        return unknown[:fit], refused + unknown[fit:]

    def wait_at(self, arrival: Arrival[T], call: Call, waiter: Waiter[T]) -> bool:
        """Whether there was room. The flight is kept up until the end of the call at least."""
        if not arrival.admit(waiter):
            return False
        arrival.flight.call.budget.extend(call.deadline)
        return True

    def depart(self, customer_ids: Sequence[UUID], call: Call, waiter: Waiter[T]) -> Flight[T]:
        """A new flight, for which `waiter` waits."""
        flight = Flight(call, self._batches if call.is_batch else self._singles, self._room)
        flight.take(customer_ids, waiter)
        self._up.add(flight)
        return flight

    def forget(self, customer_id: UUID) -> None:
        """Nobody joins those who ask about this customer by now. Who waits for them still does."""
        self._singles.pop(customer_id, None)
        self._batches.pop(customer_id, None)

    def land(self, flight: Flight[T]) -> None:
        self._up.discard(flight)
        flight.land()


def _open(
    board: dict[UUID, Arrival[T]], customer_id: UUID, call: Call, now: float
) -> Arrival[T] | None:
    arrival = board.get(customer_id) if board else None
    return arrival if arrival is not None and arrival.flight.suits(call, now) else None
