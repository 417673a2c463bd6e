"""Slots under every order of arrivals, ends, cancellations, deadlines and sizes."""

import asyncio
from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from adapters.call import Call
from adapters.lookup import wall_clock
from adapters.outcome import NotAsked, Reason
from proxy.guard.slots import Slots

QUEUE = 4
FAR = 1e9
TENANTS = st.sampled_from(["acme", "globex", "initech"])


def call(tenant: str = "acme", *, is_batch: bool = False, deadline: float = FAR) -> Call:
    return Call(deadline=deadline, asked_at=wall_clock(), tenant=tenant, is_batch=is_batch)


class Customer:
    """Takes a slot, holds it until told, and gives it back."""

    def __init__(self, slots: Slots, loop: asyncio.AbstractEventLoop, asked: Call) -> None:
        self.call = asked
        self.done = asyncio.Event()
        self.holds = False
        self.outcome: Reason | None = None
        self.task = loop.create_task(self._run(slots))

    @property
    def line(self) -> tuple[str, bool]:
        return self.call.tenant, self.call.is_batch

    async def _run(self, slots: Slots) -> None:
        try:
            await slots.take(self.call)
        except NotAsked as failure:
            self.outcome = failure.reason
            return
        self.holds = True
        try:
            await self.done.wait()
        finally:
            self.holds = False
            slots.give_back(self.call)


class SlotsInUse(RuleBasedStateMachine):
    """Everybody who came is in one of three states, and the slots must agree."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.slots = Slots(3, queue_length=QUEUE)
        self.size = 3
        self.here: list[Customer] = []
        """In order of arrival."""
        self.batches = 0

    @property
    def holding(self) -> list[Customer]:
        return [one for one in self.here if one.holds]

    @property
    def waiting(self) -> list[Customer]:
        return [one for one in self.here if not one.holds]

    def settle(self) -> None:
        async def turns() -> None:
            for _ in range(8):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())

    def leave(self, customer: Customer) -> None:
        self.here.remove(customer)

    @rule(tenant=TENANTS, is_batch=st.booleans())
    def arrive(self, *, tenant: str, is_batch: bool) -> None:
        lines = Counter(one.line for one in self.waiting)
        tenants = Counter(one.call.tenant for one in self.waiting)
        before = list(self.here)
        was_full = len(self.waiting) == QUEUE
        customer = Customer(self.slots, self.loop, call(tenant, is_batch=is_batch))
        self.here.append(customer)
        self.settle()
        gone = [one for one in self.here if one.outcome is Reason.OVERLOAD]
        assert len(gone) <= was_full
        for one in gone:
            self.leave(one)
            if one is customer:
                assert tenants[tenant] + 1 >= max(tenants.values())
                assert lines[tenant, is_batch] + 1 >= lines[tenant, not is_batch]
            else:
                assert one is [old for old in before if old.line == one.line][-1], "the newest"
                same = one.call.tenant == tenant
                assert same or tenants[one.call.tenant] == max(tenants.values())
                assert lines[one.line] >= lines[one.call.tenant, not one.call.is_batch]

    @rule(is_batch=st.booleans())
    def arrive_too_late(self, *, is_batch: bool) -> None:
        asked = call(is_batch=is_batch, deadline=self.loop.time() - 1)
        customer = Customer(self.slots, self.loop, asked)
        self.settle()
        assert customer.outcome is Reason.DEADLINE

    @rule(size=st.integers(1, 5))
    def resize(self, size: int) -> None:
        self.size = size
        self.slots.resize(size)
        self.settle()

    @precondition(lambda self: self.holding)
    @rule(data=st.data())
    def end_one(self, data: st.DataObject) -> None:
        customer = data.draw(st.sampled_from(self.holding))
        customer.done.set()
        self.leave(customer)
        self.settle()

    @precondition(lambda self: self.here)
    @rule(data=st.data())
    def cancel_one(self, data: st.DataObject) -> None:
        customer = data.draw(st.sampled_from(self.here))
        customer.task.cancel()
        self.leave(customer)
        self.settle()

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def a_budget_ends(self, data: st.DataObject) -> None:
        customer = data.draw(st.sampled_from(self.waiting))
        self.leave(customer)

        async def end() -> None:
            for timer in tuple(customer.call.budget._timers):
                timer.move(self.loop.time() - 1)

        self.loop.run_until_complete(end())
        self.settle()
        assert customer.outcome is Reason.DEADLINE

    @precondition(lambda self: self.holding and self.waiting)
    @rule(first=st.sampled_from(["slot", "end"]), data=st.data())
    def one_ends_in_the_moment_in_which_a_waiter_goes(
        self, first: str, data: st.DataObject
    ) -> None:
        leaving = data.draw(st.sampled_from(self.holding))
        waiter = data.draw(st.sampled_from(self.waiting))
        if first == "slot":
            leaving.done.set()
            self.loop.call_soon(self.loop.stop)
            self.loop.run_forever()  # one turn: its slot may be on its way now
            assert not waiter.holds
            waiter.task.cancel()
        else:
            waiter.task.cancel()
            leaving.done.set()
        self.leave(leaving)
        self.leave(waiter)
        self.settle()

    @invariant()
    def the_slots_agree_with_who_holds_and_waits(self) -> None:
        assert self.slots.taken == len(self.holding)
        assert self.slots.waiting == len(self.waiting) <= QUEUE
        assert self.slots.size == self.size
        assert all(one.outcome is None for one in self.here)

    @invariant()
    def nobody_waits_who_could_have_a_slot(self) -> None:
        free = self.size - len(self.holding)
        batches = sum(one.call.is_batch for one in self.holding)
        for_batches = self.size - (1 if self.size > 1 else 0) - batches
        for one in self.waiting:
            assert free <= 0 or (one.call.is_batch and for_batches <= 0)

    @invariant()
    def no_batch_is_let_into_the_reserve(self) -> None:
        batches = sum(one.call.is_batch for one in self.holding)
        may_be = self.size - 1 if self.size > 1 else 1
        assert batches <= max(may_be, self.batches), "those from before a size was lowered stay"
        self.batches = batches

    @invariant()
    def nobody_overtakes_within_a_line(self) -> None:
        for line in {one.line for one in self.here}:
            states = [one.holds for one in self.here if one.line == line]
            assert states == sorted(states, reverse=True)

    def teardown(self) -> None:
        for customer in self.here:
            customer.task.cancel()
        self.settle()
        assert (self.slots.taken, self.slots.waiting) == (0, 0)
        self.loop.close()


TestSlotsInUse = SlotsInUse.TestCase


async def test_a_wait_ends_with_the_budget() -> None:
    slots = Slots(1, queue_length=1)
    await slots.take(call())
    with pytest.raises(NotAsked) as failed:
        await slots.take(call(deadline=asyncio.get_running_loop().time() + 0.01))
    assert failed.value.reason is Reason.DEADLINE
    assert slots.waiting == 0


async def test_a_wait_goes_on_while_its_budget_grows() -> None:
    slots = Slots(1, queue_length=1)
    holder, waiter = call(), call(deadline=asyncio.get_running_loop().time() + 0.01)
    await slots.take(holder)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(slots.take(waiter))
        await asyncio.sleep(0)
        assert slots.waiting == 1
        waiter.budget.extend(FAR)
        await asyncio.sleep(0.02)
        assert not waiting.done()
        slots.give_back(holder)
    assert slots.taken == 1


async def served(slots: Slots, calls: list[Call]) -> list[Call]:
    """In which order they get slots, each of which is given back in the next turn of the loop."""
    order: list[Call] = []

    async def customer(one: Call) -> None:
        await slots.take(one)
        order.append(one)
        await asyncio.sleep(0)
        slots.give_back(one)

    first = call("first of all")
    await slots.take(first)
    async with asyncio.TaskGroup() as tasks:
        for one in calls:
            tasks.create_task(customer(one))
        await asyncio.sleep(0)
        assert slots.waiting == len(calls)
        slots.give_back(first)
    return order


async def test_who_waits_is_served_in_the_order_of_arrival() -> None:
    calls = [call() for _ in range(50)]
    assert await served(Slots(1, queue_length=50), calls) == calls


async def test_tenants_take_turns_and_each_of_them_its_singles_and_batches() -> None:
    calls = [call("acme", is_batch=True) for _ in range(4)]
    calls += [call("globex", is_batch=True) for _ in range(2)]
    calls += [call("acme"), call("acme"), call("initech")]
    order = await served(Slots(1, queue_length=50), calls)
    assert [(one.tenant, one.is_batch) for one in order] == [
        ("acme", False),
        ("globex", True),
        ("initech", False),
        ("acme", True),
        ("globex", True),
        ("acme", False),
        ("acme", True),
        ("acme", True),
        ("acme", True),
    ]


async def test_a_single_that_comes_after_a_batch_of_200_is_next() -> None:
    calls = [call(is_batch=True) for _ in range(200)]
    last = call()
    order = await served(Slots(1, queue_length=1000), [*calls, last])
    assert order[0] is last


async def test_a_batch_leaves_a_slot_free_for_a_single() -> None:
    slots = Slots(32, queue_length=0)
    for _ in range(30):
        await slots.take(call(is_batch=True))
    with pytest.raises(NotAsked) as failed:
        await slots.take(call("globex", is_batch=True))
    assert failed.value.reason is Reason.OVERLOAD
    assert not slots.has_room
    await slots.take(call())
    await slots.take(call())
    assert slots.taken == 32


async def test_a_batch_has_the_only_slot_of_one() -> None:
    slots = Slots(1, queue_length=0)
    await slots.take(call(is_batch=True))
    assert slots.taken == 1


async def test_a_smaller_size_takes_effect_as_slots_come_back() -> None:
    slots = Slots(4, queue_length=10)
    holding = [call() for _ in range(4)]
    for one in holding:
        await slots.take(one)
    slots.resize(2)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(slots.take(call()))
        for one in holding[:2]:
            await asyncio.sleep(0)
            slots.give_back(one)
            assert slots.waiting == 1
        slots.give_back(holding[2])
        await waiting
    assert slots.taken == 2


async def test_a_full_queue_gives_a_place_to_who_has_less_than_a_share() -> None:
    slots = Slots(1, queue_length=4)
    await slots.take(call())
    lost = []

    async def wait(asked: Call) -> None:
        try:
            await slots.take(asked)
        except NotAsked as failure:
            lost.append((asked.tenant, asked.is_batch, failure.reason))
        else:
            slots.give_back(asked)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(wait(call("acme", is_batch=True)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert lost == [("acme", True, Reason.OVERLOAD)], "its own line is the longest"
        lost.clear()
        for tenant in ("globex", "acme", "globex", "globex"):
            tasks.create_task(wait(call(tenant)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert sorted(lost) == [
            ("acme", True, Reason.OVERLOAD),
            ("acme", True, Reason.OVERLOAD),
            ("acme", True, Reason.OVERLOAD),
            ("globex", False, Reason.OVERLOAD),
        ]
        slots.give_back(call())
