"""Questions about the same customer share one lookup."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

from adapters.call import Call
from adapters.lookup import LookUp, LookupAdapter, rest_of
from adapters.outcome import Billing, Dispute, Learn, Lookup, LookupFailed, Reason, Unavailable
from proxy.lookup.fail_open import GRACE_S, Punctual, Spawn, is_due
from proxy.lookup.failures import Report, type_names
from proxy.lookup.flights import LAST_MOMENT_S, Arrival, Flight, Flights, Room, Waiter

T = TypeVar("T")

PATIENCE = 1 / 4
"""Part of its budget for which a question about one customer relies on a batch."""
STARVED = frozenset({Reason.OVERLOAD, Reason.DEADLINE})
"""What a batch may hear where a question about one customer would be served."""


class Coalesce(Punctual):
    """Customers who are being asked about already are waited for and not asked about again.

    The new customers of a question are one flight, a lookup that outlives the question as long as
    somebody waits for one of them, and ends by the deadline of the most patient. Each question
    leaves at its own deadline or when it is cancelled, which is nobody else's concern. What a
    flight says, failures included, is for those who wait for it, and is not kept.

    A question about one customer is served before batches, and stays so: it relies on a batch's
    flight for a while, and then asks by itself as well.
    """

    def __init__(
        self, inner: LookupAdapter, *, spawn: Spawn, report: Report, most_customers: int
    ) -> None:
        """`most_customers` may be waited for at once; about more, `overload` is said at once."""
        self.inner = inner
        self.source = inner.source
        self.is_estimate = inner.is_estimate
        self.reporting_currency = inner.reporting_currency
        self.clock = inner.clock
        room = Room(most_customers)
        self._billing = Sharing(inner.look_up_billing, room, spawn=spawn, report=report)
        self._disputes = Sharing(inner.look_up_disputes, room, spawn=spawn, report=report)
        self._room = room

    @property
    def flights(self) -> int:
        """Lookups under way."""
        return len(self._billing.flights) + len(self._disputes.flights)

    @property
    def customers_in_flight(self) -> int:
        """What counts against `most_customers`."""
        return self._room.taken

    def forget(self, customer_id: UUID) -> None:
        """What is being asked about this customer is for those who asked before, and nobody else.

        It is not ended, for they are answered by it.
        """
        self._billing.flights.forget(customer_id)
        self._disputes.flights.forget(customer_id)

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        await self._billing.ask(customer_ids, call, learn)

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        await self._disputes.ask(customer_ids, call, learn)


class Sharing(Generic[T]):
    """One kind of question at one desk. Other kinds have other answers, and share nothing."""

    def __init__(self, look_up: LookUp[T], room: Room, *, spawn: Spawn, report: Report) -> None:
        self.flights: Flights[T] = Flights(room)
        self._look_up = look_up
        self._room = room
        self._spawn = spawn
        self._report = report

    async def ask(self, customer_ids: Sequence[UUID], call: Call, learn: Learn[T]) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if len(customer_ids) == 1 and not call.is_batch:
            batch = self.flights.with_a_batch(customer_ids[0], call, now)
            if batch is not None:
                await self._rely_on(batch, customer_ids[0], call, learn)
                return
        waiter = Waiter(learn, loop.create_future())
        unknown, refused = self.flights.join(customer_ids, call, waiter, now)
        for customer_id in refused:
            learn(customer_id, Unavailable(Reason.OVERLOAD))
        if unknown:
            self._depart(unknown, call, waiter)
        if not waiter.expected:
            return
        try:
            async with call.budget.timer():
                await waiter.answered
        except TimeoutError:
            _leave(waiter)
            if waiter.expected:
                raise LookupFailed(Reason.DEADLINE, "the budget ended") from None
        except asyncio.CancelledError:
            await _let_go(call, waiter)
            raise

    async def _rely_on(
        self, batch: Arrival[T], customer_id: UUID, call: Call, learn: Learn[T]
    ) -> None:
        words: list[Lookup[T]] = []
        create_future = asyncio.get_running_loop().create_future
        riding, alone = (Waiter(partial(_note, words), create_future()) for _ in range(2))
        if not self.flights.wait_at(batch, call, riding):
            learn(customer_id, Unavailable(Reason.OVERLOAD))
            return
        try:
            async with call.budget.timer():
                await self._ride(riding, call)
                if not words or _is_starved(words[0]):
                    self._ask_alone(customer_id, call, alone)
                    await _first_good(words, riding, alone)
        except TimeoutError:
            pass  # what there is decides
        except asyncio.CancelledError:
            await _let_go(call, riding, alone)
            raise
        _leave(riding, alone)
        if not words:
            raise LookupFailed(Reason.DEADLINE, "the budget ended")
        learn(customer_id, _best(words))

    async def _ride(self, waiter: Waiter[T], call: Call) -> None:
        left_s = call.remaining_s(asyncio.get_running_loop().time())
        await asyncio.wait({waiter.answered}, timeout=left_s * PATIENCE)

    def _ask_alone(self, customer_id: UUID, call: Call, waiter: Waiter[T]) -> None:
        """With other questions about one customer, if there are any; where there is room."""
        now = asyncio.get_running_loop().time()
        others = self.flights.with_a_single(customer_id, call, now)
        if others is not None:
            self.flights.wait_at(others, call, waiter)
        elif self._room.left:
            self._depart((customer_id,), call, waiter)

    def _depart(self, customer_ids: Sequence[UUID], call: Call, waiter: Waiter[T]) -> None:
        flight = self.flights.depart(customer_ids, call, waiter)
        flight.task = self._spawn(self._fly(flight, customer_ids))
        # It may be cancelled before its first step, and still has to land.
        flight.task.add_done_callback(lambda _task: self.flights.land(flight))

    async def _fly(self, flight: Flight[T], customer_ids: Sequence[UUID]) -> None:
        """Who is asked below meets the deadline of the call, and so is heard to have failed by it;
        what ignores that is cut off a little later.
        """
        flight.rest = await rest_of(
            self._look_up,
            customer_ids,
            flight.call,
            flight.learn,
            within=flight.call.budget.part(lambda deadline: deadline + GRACE_S),
            on_error=self._report_type,
        )

    def _report_type(self, error: Exception) -> None:
        self._report(type_names(error))


def _note(words: list[Lookup[T]], _customer_id: UUID, lookup: Lookup[T]) -> None:
    words.append(lookup)


def _is_starved(lookup: Lookup[T]) -> bool:
    return isinstance(lookup, Unavailable) and lookup.reason in STARVED


def _best(words: Sequence[Lookup[T]]) -> Lookup[T]:
    """The first that is no failure, or else the first."""
    return next((one for one in words if not isinstance(one, Unavailable)), words[0])


async def _first_good(words: Sequence[Lookup[T]], *waiters: Waiter[T]) -> None:
    """Until there is a word that is no failure, or all have one."""
    waiting = {one.answered for one in waiters if one.expected}
    while waiting and all(isinstance(one, Unavailable) for one in words):
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)


def _leave(*waiters: Waiter[T]) -> None:
    """At the end of a question. A flight that ends at the same time is left to end by itself."""
    now = asyncio.get_running_loop().time()
    for waiter in waiters:
        for flight in waiter.leave():
            if flight.call.remaining_s(now) > LAST_MOMENT_S:
                flight.cancel()


async def _let_go(call: Call, *waiters: Waiter[T]) -> None:
    """When a question is cancelled. What nobody else waits for ends first; where an answer is due
    it goes on to the deadline, for an end of so much at once would keep that one waiting.
    """
    loop = asyncio.get_running_loop()
    if is_due(call, loop.time()):
        loop.call_at(call.deadline, _leave, *waiters)
        return
    flights = [flight for waiter in waiters for flight in waiter.leave()]
    for flight in flights:
        flight.cancel()
    if tasks := {flight.task for flight in flights if flight.task is not None}:
        await asyncio.wait(tasks, timeout=GRACE_S)
