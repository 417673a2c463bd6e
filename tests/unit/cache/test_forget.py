"""A forgotten customer stays forgotten: entries, writes, questions and refreshes under way."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from proxy.cache.envelope import QUESTIONS, Envelopes
from proxy.cache.keys import KeyRing, KeyRings, new_rings
from proxy.cache.memory import MemoryStore
from proxy.cache.store import StoreFailed
from proxy.cache.vault import FORGET_S, NotForgotten
from tests.servers.leaping import LeapingClock
from tests.unit.cache.caching import CONNECTION, TENANT, HeldStore, Sidecar, billing, memory, turns

A, B = uuid4(), uuid4()


class Pair:
    """Two sidecars that share what they keep, each by a store of its own that can be held."""

    def __init__(self, clock: LeapingClock, *, early_refresh: bool = False) -> None:
        self.clock = clock
        self.kept: MemoryStore = memory(clock)
        self.rings = new_rings()
        self.stores = HeldStore(self.kept), HeldStore(self.kept)
        self.one, self.other = (
            Sidecar(clock, store, self.rings, early_refresh=early_refresh, luck=lambda: 0.5)
            for store in self.stores
        )

    async def entries(self, customer_id: UUID) -> int:
        names = Envelopes(self.rings).names
        every = [
            name
            for question in QUESTIONS
            for name in names.every(TENANT, CONNECTION, question, customer_id)
        ]
        return sum(value is not None for value in await self.kept.get_many(every))

    async def aclose(self) -> None:
        for store in self.stores:
            store.gate.set()
        for sidecar in (self.one, self.other):
            sidecar.vendor.let_go()
            await sidecar.aclose()


@pytest.fixture
async def pair(clock: LeapingClock) -> AsyncIterator[Pair]:
    made = Pair(clock)
    yield made
    await made.aclose()


async def test_entries_of_both_questions_are_gone_for_both_sidecars(pair: Pair) -> None:
    await pair.one.ask(A, B)
    await pair.one.ask_disputes(A)
    assert await pair.entries(A) == 2
    await pair.other.cache.forget(A)
    assert (await pair.entries(A), await pair.entries(B)) == (0, 1)
    for sidecar in (pair.one, pair.other):
        await sidecar.ask(A)
        assert sidecar.tally.misses == 1
        await sidecar.ask(B)
        assert sidecar.tally.hits == 1


async def test_another_tenant_s_customer_with_the_same_id_is_not_forgotten(pair: Pair) -> None:
    desk = pair.one.desk("other", CONNECTION, pair.one.vendor)
    await desk.look_up_billing([A], pair.one.call(), lambda *_: None)
    await pair.one.ask(A)
    await pair.one.cache.forget(A)
    await pair.one.only_the_store_knows()
    call = pair.one.call()
    await desk.look_up_billing([A], call, lambda *_: None)
    assert pair.one.tally.hits == 1


async def test_what_was_asked_before_is_not_kept_when_it_is_answered_after(pair: Pair) -> None:
    pair.one.vendor.hold()
    asking = asyncio.gather(pair.one.ask(A, B))
    await turns()
    await pair.one.cache.forget(A)
    pair.one.vendor.let_go()
    (said,) = await asking
    assert said == {A: billing(), B: billing()}, "who asked before is answered"
    assert (await pair.entries(A), await pair.entries(B)) == (0, 1)
    assert pair.one.told.of["written"] == 1


async def test_what_another_sidecar_asked_before_is_not_kept_when_it_is_answered_after(
    pair: Pair,
) -> None:
    pair.other.vendor.hold()
    asking = asyncio.gather(pair.other.ask(A, B))
    await turns()
    await pair.one.cache.forget(A)
    pair.other.vendor.let_go()
    await asking
    assert (await pair.entries(A), await pair.entries(B)) == (0, 1)
    await pair.other.ask(A)
    assert pair.other.tally.misses == 1, "nor is it known from memory"


@pytest.mark.parametrize("forgetting", [0, 1])
async def test_a_write_under_way_leaves_nothing(pair: Pair, forgetting: int) -> None:
    pair.one.vendor.hold()
    asking = asyncio.gather(pair.one.ask(A))
    await turns()
    pair.stores[0].hold()
    pair.one.vendor.let_go()
    await pair.stores[0].arrived.wait()
    forget = asyncio.gather((pair.one, pair.other)[forgetting].cache.forget(A))
    await turns()
    pair.stores[0].gate.set()
    await forget
    await asking
    assert await pair.entries(A) == 0


async def test_a_write_that_waits_is_not_made(pair: Pair) -> None:
    await pair.one.cache.look_up_billing([A], pair.one.call(), lambda *_: None)
    assert pair.one.vault.keeper.pending == 1
    await pair.one.cache.forget(A)
    assert pair.one.vault.keeper.pending == 0
    await pair.one.vault.keeper.written()
    assert pair.one.told.of["written"] == 0


async def test_an_entry_that_was_read_before_is_not_used_after(pair: Pair) -> None:
    await pair.one.ask(A)
    await pair.one.only_the_store_knows()
    pair.one.vendor.billings = {A: billing("99.00")}

    async def forget_meanwhile() -> None:
        await pair.stores[0].arrived.wait()
        await pair.one.vault.forget(TENANT, CONNECTION, A)

    pair.stores[0].hold()
    asking = asyncio.gather(pair.one.ask(A), forget_meanwhile())
    await turns()
    pair.stores[0].gate.set()
    said, _ = await asking
    assert said == {A: billing("99.00")}
    assert await pair.entries(A) == 0


async def test_a_question_that_begins_while_a_forget_is_under_way_uses_and_keeps_nothing(
    pair: Pair,
) -> None:
    await pair.one.ask(A)
    await pair.one.only_the_store_knows()
    kept, pair.one.vault.means.store = pair.one.vault.means.store, pair.stores[1]
    pair.stores[1].hold()
    forget = asyncio.gather(pair.one.cache.forget(A), pair.one.cache.forget(A))
    await turns()
    pair.one.vault.means.store = kept
    await pair.one.ask(A)
    assert pair.one.tally.misses == 1
    assert pair.one.told.of["written"] == 1, "only the first one was kept"
    pair.stores[1].gate.set()
    await forget
    assert await pair.entries(A) == 0


async def test_nothing_is_kept_of_a_forgotten_customer_for_300_s(
    pair: Pair, clock: LeapingClock
) -> None:
    await pair.one.cache.forget(A)
    for sidecar in (pair.one, pair.other):
        for _ in range(2):
            await sidecar.ask(A)
            assert sidecar.tally.misses == 1
    clock.leap(299)
    await pair.one.ask(A)
    assert await pair.entries(A) == 0
    clock.leap(1.1)
    await turns()
    await pair.one.ask(A)
    assert await pair.entries(A) == 1


@pytest.mark.parametrize("forgetting", [0, 1])
async def test_a_refresh_under_way_brings_nothing_back(
    clock: LeapingClock, forgetting: int
) -> None:
    pair = Pair(clock, early_refresh=True)
    await pair.one.ask(A)
    clock.leap(28)
    await turns()
    pair.one.vendor.hold()
    await pair.one.cache.look_up_billing([A], pair.one.call(), lambda *_: None)
    assert pair.one.tally.refreshes == 1
    await turns()
    await (pair.one, pair.other)[forgetting].cache.forget(A)
    await turns()
    assert len(pair.one.vault.refreshes) == forgetting, "ours is cut off"
    pair.one.vendor.let_go()
    await turns()
    await pair.one.vault.keeper.written()
    assert await pair.entries(A) == 0
    await pair.one.ask(A)
    assert pair.one.tally.misses == 1
    await pair.aclose()


async def test_while_the_name_key_rotates_entries_under_every_key_are_forgotten(
    clock: LeapingClock,
) -> None:
    """One sidecar names under the old key, the other one under the new key; both know both."""
    master, old, new = (KeyRing((bytes([number]) * 32,)) for number in (1, 2, 3))
    store = memory(clock)
    before = KeyRings(master, KeyRing(old.keys + new.keys))
    after = KeyRings(master, KeyRing(new.keys + old.keys))
    one, other = Sidecar(clock, store, before), Sidecar(clock, store, after)
    await one.ask(A, B)
    await other.ask_disputes(A)
    await other.ask(B)
    assert other.tally.hits == 1, "what is named under the old key is found"
    await other.cache.forget(A)
    assert store.entries == 1 + 2, "of B, and a tombstone under each key"
    await one.ask(A)
    assert (one.tally.misses, one.told.of["written"]) == (1, 3), "written, and taken back"
    assert store.entries == 3
    for each in (one, other):
        await each.aclose()


@pytest.mark.parametrize("rotate", ["master", "names"])
async def test_rotating_a_key_away_forgets_everything(pair: Pair, rotate: str) -> None:
    await pair.one.ask(A)
    await pair.one.only_the_store_knows()
    fresh = new_rings()
    rings = (
        KeyRings(fresh.master, pair.rings.names)
        if rotate == "master"
        else KeyRings(pair.rings.master, fresh.names)
    )
    pair.one.vault.means.envelopes = Envelopes(rings)
    await pair.one.ask(A)
    assert pair.one.tally.misses == 1
    assert pair.one.tally.unopenable == (rotate == "master")


# When the store cannot be told


@pytest.mark.parametrize("why", ["refused", "timeout"])
async def test_a_store_that_cannot_be_told_is_said_with_the_time_after_which_nothing_is_left(
    pair: Pair, clock: LeapingClock, why: str
) -> None:
    await pair.one.ask(A)
    if why == "timeout":
        pair.stores[0].hold()
    else:
        pair.stores[0].fails = StoreFailed("refused")
    forget = asyncio.gather(pair.one.cache.forget(A))
    await turns()
    clock.leap(FORGET_S)
    with pytest.raises(NotForgotten, match=why) as raised:
        await forget
    assert raised.value.gone_after_s == 300
    assert str(A) not in str(raised.value)
    assert not pair.one.vault.keeper.knows_any, "this process has forgotten"


async def test_a_forget_that_failed_does_not_keep_the_cache_from_working(pair: Pair) -> None:
    pair.stores[0].fails = StoreFailed("refused")
    with pytest.raises(NotForgotten):
        await pair.one.cache.forget(A)
    pair.stores[0].fails = None
    await pair.one.ask(A)
    await pair.one.ask(A)
    assert pair.one.tally.hits == 1


async def test_a_forget_that_is_cancelled_leaves_nothing_behind(pair: Pair) -> None:
    pair.stores[0].hold()
    task = asyncio.get_running_loop().create_task(pair.one.cache.forget(A))
    await pair.stores[0].arrived.wait()
    task.cancel()
    await turns()
    pair.stores[0].gate.set()
    await pair.one.ask(A)
    await pair.one.ask(A)
    assert pair.one.tally.hits == 1
