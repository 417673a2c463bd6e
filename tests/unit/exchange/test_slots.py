"""Slots under every order of arrivals, ends, cancellations and deadlines."""

import asyncio
from collections import deque

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from adapters.outcome import LookupFailed, Reason
from proxy.exchange.slots import Slots

SIZE, QUEUE = 2, 3
FAR = 1e9


class Customer:
    """Takes a slot, holds it until told, and gives it back."""

    def __init__(self, slots: Slots, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        self.done = asyncio.Event()
        self.holds = False
        self.outcome: Reason | None = None
        self.task = loop.create_task(self._run(slots, deadline))

    async def _run(self, slots: Slots, deadline: float) -> None:
        try:
            await slots.take(deadline)
        except LookupFailed as failure:
            self.outcome = failure.reason
            return
        self.holds = True
        try:
            await self.done.wait()
        finally:
            self.holds = False
            slots.give_back()


class SlotsInUse(RuleBasedStateMachine):
    """A model: who holds, and who waits in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.slots = Slots(SIZE, queue_length=QUEUE)
        self.holding: list[Customer] = []
        self.queue: deque[Customer] = deque()

    def settle(self) -> None:
        async def turns() -> None:
            for _ in range(6):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())

    def admit(self) -> None:
        """What must have happened once a slot came back."""
        while self.queue and len(self.holding) < SIZE:
            self.holding.append(self.queue.popleft())

    @rule()
    def arrive(self) -> None:
        customer = Customer(self.slots, self.loop, FAR)
        self.settle()
        if len(self.holding) < SIZE:
            self.holding.append(customer)
        elif len(self.queue) < QUEUE:
            self.queue.append(customer)
        else:
            assert customer.outcome is Reason.OVERLOAD

    @rule()
    def arrive_too_late(self) -> None:
        customer = Customer(self.slots, self.loop, self.loop.time() - 1)
        self.settle()
        assert customer.outcome is Reason.DEADLINE

    @precondition(lambda self: self.holding)
    @rule(data=st.data())
    def end_one(self, data: st.DataObject) -> None:
        customer = self.holding.pop(data.draw(st.integers(0, len(self.holding) - 1)))
        customer.done.set()
        self.admit()
        self.settle()

    @precondition(lambda self: self.holding or self.queue)
    @rule(data=st.data())
    def cancel_one(self, data: st.DataObject) -> None:
        customer = data.draw(st.sampled_from([*self.holding, *self.queue]))
        (self.holding if customer in self.holding else self.queue).remove(customer)
        customer.task.cancel()
        self.admit()
        self.settle()

    @precondition(lambda self: self.holding and self.queue)
    @rule(first=st.sampled_from(["slot", "end"]))
    def cancel_the_next_in_the_moment_its_slot_comes(self, first: str) -> None:
        leaving, next_one = self.holding.pop(0), self.queue.popleft()
        if first == "slot":
            leaving.done.set()
            while self.slots.waiting > len(self.queue):
                self.loop.call_soon(self.loop.stop)
                self.loop.run_forever()  # one turn
            assert not next_one.holds, "the slot is handed over, and not yet seen"
            next_one.task.cancel()
        else:
            next_one.task.cancel()
            leaving.done.set()
        self.admit()
        self.settle()

    @invariant()
    def the_slots_and_the_queue_are_as_the_model_has_them(self) -> None:
        assert [one.holds for one in self.holding] == [True] * len(self.holding)
        assert not any(one.holds for one in self.queue)
        assert self.slots.taken == len(self.holding) <= SIZE
        assert self.slots.waiting == len(self.queue) <= QUEUE

    def teardown(self) -> None:
        for customer in [*self.holding, *self.queue]:
            customer.task.cancel()
        self.settle()
        assert (self.slots.taken, self.slots.waiting) == (0, 0)
        self.loop.close()


TestSlotsInUse = SlotsInUse.TestCase


async def test_a_wait_ends_with_the_budget() -> None:
    slots = Slots(1, queue_length=1)
    await slots.take(FAR)
    with pytest.raises(LookupFailed) as failed:
        await slots.take(asyncio.get_running_loop().time() + 0.01)
    assert failed.value.reason is Reason.DEADLINE
    assert slots.waiting == 0


async def test_who_waits_is_served_in_the_order_of_arrival() -> None:
    slots, served = Slots(1, queue_length=50), []

    async def customer(number: int) -> None:
        await slots.take(FAR)
        served.append(number)
        await asyncio.sleep(0)
        slots.give_back()

    async with asyncio.TaskGroup() as tasks:
        for number in range(50):
            tasks.create_task(customer(number))
    assert served == list(range(50))


async def test_a_slot_given_to_the_queue_cannot_be_overtaken() -> None:
    slots, served = Slots(1, queue_length=5), []
    await slots.take(FAR)

    async def customer(name: str) -> None:
        await slots.take(FAR)
        served.append(name)
        slots.give_back()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(customer("waited"))
        await asyncio.sleep(0)
        slots.give_back()
        tasks.create_task(customer("came later"))
    assert served == ["waited", "came later"]
