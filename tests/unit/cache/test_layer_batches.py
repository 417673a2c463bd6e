"""The layer and its batches: most of one is seen at a glance, and nobody can tell."""

import asyncio
from decimal import Decimal
from uuid import UUID, uuid4

from adapters.call import Call
from adapters.lookup import collect
from adapters.outcome import Billing, Found, Lookup, Missing
from proxy.cache.keys import new_rings
from proxy.cache.store import StoreFailed
from proxy.cache.tally import Tally
from tests.servers.leaping import LeapingClock
from tests.unit.cache.caching import HeldStore, Sidecar, Vendor, billing, memory, turns

A, B, C = uuid4(), uuid4(), uuid4()


async def _fees(sidecar: Sidecar, *customer_ids: UUID) -> dict[UUID, Lookup[Billing]]:
    call = sidecar.call(is_batch=True)
    asked = Call(
        deadline=call.deadline,
        asked_at=call.asked_at,
        is_batch=True,
        fees_only=True,
        tally=call.tally,
    )
    return await collect(sidecar.cache.look_up_billing, customer_ids, asked)


async def _seen(sidecar: Sidecar, *customer_ids: UUID) -> None:
    """They are kept, and the key they were sealed with is known to who opens them."""
    await sidecar.ask(*customer_ids)
    await sidecar.only_the_store_knows()
    await sidecar.ask(*customer_ids)


async def test_who_wants_fees_alone_gets_no_more_from_the_cache_and_it_keeps_all(
    sidecar: Sidecar, vendor: Vendor
) -> None:
    whole = Found(Billing(uuid4(), "Plan", Decimal("10.00"), "GBP"))
    vendor.billings = {A: whole, B: whole}
    assert await _fees(sidecar, A, B) == {A: whole, B: whole}, "as the vendor told it"
    await sidecar.vault.keeper.written()
    await sidecar.only_the_store_knows()
    assert await sidecar.ask(A, B) == {A: whole, B: whole}
    fee = Found(Billing(monthly_fee=Decimal("10.00"), currency="GBP"))
    assert await _fees(sidecar, A, B) == {A: fee, B: fee}
    assert await sidecar.ask(A, B) == {A: whole, B: whole}
    assert vendor.questions == 1


async def test_in_a_batch_what_was_learned_a_moment_ago_is_newer_than_what_the_store_has(
    clock: LeapingClock,
) -> None:
    store = HeldStore(memory(clock))
    sidecar = Sidecar(clock, store, new_rings())
    await _seen(sidecar, A, B)
    clock.leap(1)
    sidecar.vendor.billings = {B: billing("20.00")}
    store.fails = StoreFailed("refused")
    await collect(sidecar.cache.look_up_billing, [B], sidecar.call())
    store.fails = None
    answer = await collect(sidecar.cache.look_up_billing, [B, A], sidecar.call(is_batch=True))
    assert answer == {B: billing("20.00"), A: billing()}
    assert (sidecar.tally.hits, sidecar.tally.misses) == (2, 0)
    assert sidecar.vendor.asked == {A: 1, B: 2}
    await sidecar.aclose()


async def test_a_batch_that_is_seen_counts_as_any_other(sidecar: Sidecar, vendor: Vendor) -> None:
    vendor.billings = {B: Missing()}
    await _seen(sidecar, A, B)
    assert await sidecar.ask(A, B) == {A: billing(), B: Missing()}
    assert sidecar.tally == Tally(hits=2, negative=1, fresh_for_ms=sidecar.tally.fresh_for_ms)
    assert await sidecar.ask(A, B, C) == {A: billing(), B: Missing(), C: billing()}
    assert (sidecar.tally.hits, sidecar.tally.negative, sidecar.tally.misses) == (2, 1, 1)
    assert vendor.asked == {A: 1, B: 1, C: 1}


async def test_whom_another_sidecar_has_forgotten_is_asked_about_though_the_batch_is_seen(
    clock: LeapingClock,
) -> None:
    store, rings = memory(clock), new_rings()
    one, other = Sidecar(clock, store, rings), Sidecar(clock, store, rings)
    await _seen(one, A)
    await collect(one.cache.look_up_billing, [B], one.call())  # known here alone
    await other.cache.forget(B)
    await collect(one.cache.look_up_billing, [A, B], one.call(is_batch=True))
    assert (one.tally.hits, one.tally.misses) == (1, 1)
    assert one.vendor.asked == {A: 1, B: 2}
    await one.aclose()
    await other.aclose()


async def test_a_customer_forgotten_while_the_batch_is_read_is_asked_about(
    clock: LeapingClock,
) -> None:
    store = HeldStore(memory(clock))
    sidecar = Sidecar(clock, store, new_rings())
    await _seen(sidecar, A, B)
    store.hold()
    asking = asyncio.gather(sidecar.ask(A, B))
    await store.arrived.wait()
    forgetting = asyncio.gather(sidecar.cache.forget(A))
    await turns()
    store.gate.set()
    await asyncio.gather(asking, forgetting)
    assert (sidecar.tally.hits, sidecar.tally.misses) == (1, 1)
    assert sidecar.vendor.asked == {A: 2, B: 1}
    await sidecar.aclose()
