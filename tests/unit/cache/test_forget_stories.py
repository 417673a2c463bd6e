"""Whatever two sidecars do at once, nothing outlives a forget, and nobody gets another's answer.

The vendor's truth moves on with each forget: an answer tells by its fee from when it is.
"""

import asyncio
from contextlib import ExitStack
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adapters.call import Call
from adapters.outcome import Billing, Found, Learn, Lookup
from proxy.cache.envelope import Envelopes
from proxy.cache.keys import new_rings
from tests.servers.leaping import leaping_clock
from tests.unit.cache.caching import CONNECTION, TENANT, HeldStore, Sidecar, Vendor, memory, turns

CUSTOMERS = [UUID(int=number) for number in range(2)]
customers = st.sampled_from(CUSTOMERS)
sidecars = st.integers(0, 1)


class Truth(Vendor):
    """Answers with what was true when it was asked."""

    def __init__(self, versions: dict[UUID, int]) -> None:
        super().__init__()
        self._versions = versions

    async def look_up_billing(self, customer_ids: Any, call: Call, learn: Learn[Billing]) -> None:
        said = {one: self._versions[one] for one in customer_ids}
        await self._begin(customer_ids, call)
        for one, version in said.items():
            plan = f"plan of {one.int}"
            learn(one, Found(Billing(plan_name=plan, monthly_fee=Decimal(version))))


class TwoSidecars(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = ExitStack()
        self.versions = dict.fromkeys(CUSTOMERS, 0)
        self.floors = dict.fromkeys(CUSTOMERS, 0)
        """No question that begins now may hear anything older."""
        self.questions: list[tuple[dict[UUID, int], asyncio.Task[dict[UUID, Lookup[Billing]]]]] = []
        self.forgets: list[tuple[UUID, int, asyncio.Task[None]]] = []
        self.run(self.begin())

    def run(self, work: Any) -> None:
        self.loop.run_until_complete(work)

    async def begin(self) -> None:
        self.clock = self.stack.enter_context(leaping_clock())
        self.kept = memory(self.clock)
        self.rings = new_rings()
        self.stores = [HeldStore(self.kept) for _ in range(2)]
        self.pair = [
            Sidecar(
                self.clock,
                store,
                self.rings,
                vendor=Truth(self.versions),
                early_refresh=True,
                luck=lambda: 0.5,
            )
            for store in self.stores
        ]

    @rule(at=sidecars, ids=st.lists(customers, min_size=1, max_size=2, unique=True))
    def ask(self, at: int, ids: list[UUID]) -> None:
        async def begin() -> None:
            task = asyncio.get_running_loop().create_task(self.pair[at].ask(*ids))
            self.questions.append(({one: self.floors[one] for one in ids}, task))
            await turns()

        self.run(begin())

    @rule(at=sidecars, customer_id=customers)
    def forget(self, at: int, customer_id: UUID) -> None:
        async def begin() -> None:
            self.versions[customer_id] += 1
            task = asyncio.get_running_loop().create_task(self.pair[at].cache.forget(customer_id))
            self.forgets.append((customer_id, self.versions[customer_id], task))
            await turns()

        self.run(begin())

    @rule(at=sidecars)
    def hold_vendor(self, at: int) -> None:
        self.pair[at].vendor.hold()

    @rule(at=sidecars)
    def hold_store(self, at: int) -> None:
        self.stores[at].hold()

    @rule(at=sidecars)
    def let_vendor_go(self, at: int) -> None:
        self.pair[at].vendor.let_go()
        self.run(turns())

    @rule(at=sidecars)
    def let_store_go(self, at: int) -> None:
        self.stores[at].gate.set()
        self.run(turns())

    @rule(at=sidecars, customer_id=customers)
    def learn_then_forget_elsewhere(self, at: int, customer_id: UUID) -> None:
        """Often: what goes wrong begins here."""
        self.ask(at, [customer_id])
        self.forget(1 - at, customer_id)
        self.note_forgets()
        self.ask(at, [customer_id])

    @rule(seconds=st.sampled_from([0.003, 0.2, 0.9, 5.0, 28.0, 31.0]))
    def wait(self, seconds: float) -> None:
        self.clock.leap(seconds)
        self.run(turns(20))

    @invariant()
    def whoever_asks_after_a_forget_hears_nothing_older(self) -> None:
        self.note_forgets()
        for floors, task in self.questions:
            if task.done():
                self.judge(floors, task.result())
        self.questions = [(floors, task) for floors, task in self.questions if not task.done()]

    def note_forgets(self) -> None:
        for customer_id, version, task in self.forgets:
            if task.done() and task.exception() is None:
                self.floors[customer_id] = max(self.floors[customer_id], version)
        self.forgets = [one for one in self.forgets if not one[2].done()]

    @staticmethod
    def judge(floors: dict[UUID, int], said: dict[UUID, Lookup[Billing]]) -> None:
        for customer_id, lookup in said.items():
            if isinstance(lookup, Found):
                assert lookup.value.plan_name == f"plan of {customer_id.int}"
                assert lookup.value.monthly_fee is not None
                assert lookup.value.monthly_fee >= floors[customer_id]

    async def end(self) -> None:
        for store, sidecar in zip(self.stores, self.pair, strict=True):
            store.gate.set()
            sidecar.vendor.let_go()
        await turns(20)
        for _, task in self.questions:
            await task
        for _, _, task in self.forgets:
            await asyncio.wait({task})
        self.whoever_asks_after_a_forget_hears_nothing_older()
        for sidecar in self.pair:
            await sidecar.vault.keeper.written()
            assert not sidecar.vault.inquiries
        await self.nothing_is_left_of_who_was_forgotten()
        for sidecar in self.pair:
            await sidecar.aclose()

    async def nothing_is_left_of_who_was_forgotten(self) -> None:
        names = Envelopes(self.rings).names
        for one in CUSTOMERS:
            (grave,) = await self.kept.get_many(names.tombstones(TENANT, CONNECTION, one))
            (entry,) = await self.kept.get_many(names.every(TENANT, CONNECTION, "billing", one))
            assert grave is None or entry is None

    def teardown(self) -> None:
        self.run(self.end())
        self.stack.close()
        self.loop.close()


TwoSidecars.TestCase.settings = settings(settings.default, stateful_step_count=30)
test_two_sidecars = TwoSidecars.TestCase
