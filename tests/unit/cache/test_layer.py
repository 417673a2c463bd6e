"""The layer: fresh entries answer, the rest is asked below, and what is said is kept."""

import asyncio
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

import pytest

from adapters.call import Call
from adapters.lookup import collect
from adapters.outcome import (
    Dispute,
    Found,
    LookupFailed,
    Missing,
    Reason,
    Unavailable,
)
from proxy.cache.keys import new_rings
from proxy.cache.rules import Lives
from proxy.cache.store import StoreFailed
from proxy.cache.tally import Tally, cache_status
from proxy.lookup import fail_open
from proxy.lookup.fail_open import FailOpen
from tests.servers.leaping import LeapingClock
from tests.unit.cache.caching import (
    CONNECTION,
    TENANT,
    HeldStore,
    Sidecar,
    Vendor,
    billing,
    memory,
    turns,
)

A, B, C = uuid4(), uuid4(), uuid4()
ask = partial(fail_open.ask, on_error=pytest.fail)
WITH_STALE = Lives(ttl_ms=30_000, negative_ttl_ms=5_000, staleness_ms=60_000)


# What is kept


async def test_what_was_answered_is_not_asked_again(sidecar: Sidecar, vendor: Vendor) -> None:
    first = await sidecar.ask(A)
    await sidecar.only_the_store_knows()
    assert await sidecar.ask(A) == first == {A: billing()}
    assert vendor.questions == 1
    assert cache_status(sidecar.tally, is_batch=False) == "bss-sidecar; hit; ttl=29"


async def test_only_those_who_are_not_known_are_asked_about(
    sidecar: Sidecar, vendor: Vendor
) -> None:
    await sidecar.ask(A, B)
    await sidecar.only_the_store_knows()
    assert await sidecar.ask(A, B, C) == {A: billing(), B: billing(), C: billing()}
    assert vendor.asked == {A: 1, B: 1, C: 1}
    assert (
        cache_status(sidecar.tally, is_batch=True)
        == 'bss-sidecar; fwd=partial; detail="hits=2,misses=1"'
    )


async def test_what_is_known_is_kept_when_nobody_can_say_the_rest(
    sidecar: Sidecar, vendor: Vendor
) -> None:
    vendor.billings = {B: Unavailable(Reason.OVERLOAD)}
    vendor.fails = LookupFailed(Reason.VENDOR_ERROR)
    await sidecar.ask(A, B)
    await sidecar.only_the_store_knows()
    await sidecar.ask(A, B)
    assert vendor.asked == {A: 1, B: 2}


async def test_nothing_is_kept_past_its_life(
    sidecar: Sidecar, vendor: Vendor, clock: LeapingClock
) -> None:
    await sidecar.ask(A)
    clock.leap(30)
    await sidecar.ask(A)
    assert vendor.asked[A] == 2


async def test_that_there_is_no_such_customer_is_kept_for_less_long(
    sidecar: Sidecar, vendor: Vendor, clock: LeapingClock
) -> None:
    vendor.billings = {A: Missing()}
    await sidecar.ask(A)
    clock.leap(4)
    assert await sidecar.ask(A) == {A: Missing()}
    assert (vendor.asked[A], sidecar.tally.negative) == (1, 1)
    clock.leap(1)
    vendor.billings = {}
    assert isinstance((await sidecar.ask(A))[A], Found)


async def test_an_answer_is_as_old_as_its_question(
    sidecar: Sidecar, vendor: Vendor, clock: LeapingClock
) -> None:
    """What the vendor took to say it is part of its life."""
    vendor.hold()
    asking = asyncio.gather(sidecar.ask(A))
    await turns()
    clock.leap(1)
    vendor.let_go()
    await asking
    clock.leap(28)
    await sidecar.ask(A)
    assert (vendor.asked[A], sidecar.tally.hits) == (1, 1)
    clock.leap(1)
    await sidecar.ask(A)
    assert vendor.asked[A] == 2


async def test_disputes_and_accounts_are_kept_apart(sidecar: Sidecar, vendor: Vendor) -> None:
    await sidecar.ask(A)
    vendor.disputes = {A: Found(Dispute(active=False))}
    for _ in range(2):
        await sidecar.only_the_store_knows()
        assert await sidecar.ask_disputes(A) == {A: Found(Dispute(active=False))}
        assert await sidecar.ask(A) == {A: billing()}
    assert vendor.asked[A] == 2


async def test_tenants_and_connections_share_nothing(sidecar: Sidecar, vendor: Vendor) -> None:
    """Not in the store, nor in what was learned a moment ago."""
    await sidecar.ask(A)
    places = [("other", CONNECTION), (TENANT, "other"), (CONNECTION, TENANT)]
    for number, (tenant, connection) in enumerate(places, start=1):
        other = Vendor()
        other.price = lambda _, fee=f"{number}.00": billing(fee)  # type: ignore[misc]  # a default
        desk = sidecar.desk(tenant, connection, other)
        for _ in range(2):
            said = await collect(desk.look_up_billing, [A], sidecar.call())
            assert said == {A: billing(f"{number}.00")}
            await sidecar.only_the_store_knows()
        assert other.asked[A] == 1
    assert vendor.asked[A] == 1


async def test_the_same_question_asked_through_another_sidecar_is_a_hit(
    clock: LeapingClock, sidecar: Sidecar
) -> None:
    rings = new_rings()
    one, other = (Sidecar(clock, sidecar.store, rings) for _ in range(2))
    await one.ask(A)
    assert await other.ask(A) == {A: billing()}
    assert (one.vendor.questions, other.vendor.questions) == (1, 0)
    for each in (one, other):
        await each.aclose()


async def test_what_other_keys_sealed_is_a_miss(clock: LeapingClock, sidecar: Sidecar) -> None:
    await sidecar.ask(A)
    stranger = Sidecar(clock, sidecar.store, new_rings())
    assert await stranger.ask(A) == {A: billing()}
    assert stranger.vendor.questions == 1
    await stranger.aclose()


async def test_word_of_strangers_is_not_kept(sidecar: Sidecar, vendor: Vendor) -> None:
    async def gossip(ids: object, call: Call, learn: object) -> None:
        learn(A, billing())  # type: ignore[operator]  # a double of a vendor that talks too much
        learn(B, billing("66.00"))  # type: ignore[operator]  # nobody asked about B

    vendor.look_up_billing = gossip  # type: ignore[method-assign,assignment]  # as above
    talkative = sidecar.desk(TENANT, CONNECTION, vendor)
    await collect(talkative.look_up_billing, [A], sidecar.call())
    await sidecar.vault.keeper.written()
    assert await sidecar.ask(B) != {B: billing("66.00")}


async def test_the_first_word_about_a_customer_is_the_one_that_is_kept(
    sidecar: Sidecar, vendor: Vendor
) -> None:
    async def twice(ids: object, call: Call, learn: object) -> None:
        learn(A, billing("1.00"))  # type: ignore[operator]  # a double of a vendor
        learn(A, billing("2.00"))  # type: ignore[operator]  # that says two things

    vendor.look_up_billing = twice  # type: ignore[method-assign,assignment]  # as above
    desk = sidecar.desk(TENANT, CONNECTION, vendor)
    assert await collect(desk.look_up_billing, [A], sidecar.call()) == {A: billing("1.00")}
    await sidecar.only_the_store_knows()
    assert await sidecar.ask(A) == {A: billing("1.00")}


async def test_the_layer_says_what_the_adapter_says_of_itself(sidecar: Sidecar) -> None:
    vendor = Vendor()
    vendor.source, vendor.is_estimate, vendor.reporting_currency = "elsewhere", True, "EUR"
    desk = sidecar.desk(TENANT, CONNECTION, vendor)
    assert (desk.source, desk.is_estimate, desk.reporting_currency) == ("elsewhere", True, "EUR")
    assert desk.inner is vendor
    assert desk.clock is vendor.clock


async def test_an_exception_of_the_adapter_passes_and_what_it_said_before_is_kept(
    sidecar: Sidecar, vendor: Vendor
) -> None:
    vendor.fails = LookupFailed(Reason.AUTH)
    with pytest.raises(LookupFailed, match="auth"):
        await sidecar.cache.look_up_billing([A], sidecar.call(), lambda *_: None)
    assert await sidecar.ask(A) == {A: billing()}
    assert vendor.questions == 1


# Stale answers


@pytest.fixture
async def lenient(clock: LeapingClock, sidecar: Sidecar) -> Sidecar:
    return Sidecar(clock, sidecar.store, new_rings(), lives=WITH_STALE)


async def kept_then_stale(sidecar: Sidecar, *customer_ids: UUID) -> None:
    await sidecar.ask(*customer_ids)
    sidecar.clock.leap(31)
    await turns()


async def test_a_stale_answer_stands_in_when_nobody_can_say(lenient: Sidecar) -> None:
    await kept_then_stale(lenient, A)
    lenient.vendor.billings = {A: Unavailable(Reason.UNREACHABLE)}
    assert await lenient.ask(A) == {A: replace(billing(), stale=True)}
    assert cache_status(lenient.tally, is_batch=False) == (
        'bss-sidecar; fwd=stale; detail="served-stale"'
    )
    assert lenient.told.of["stood_in"] == 1


async def test_a_stale_answer_stands_in_for_whoever_is_left_out(lenient: Sidecar) -> None:
    await kept_then_stale(lenient, A, B)
    lenient.vendor.price = lambda _: Unavailable(Reason.TLS)
    lenient.vendor.fails = LookupFailed(Reason.BREAKER_OPEN)
    stale = replace(billing(), stale=True)
    assert await lenient.ask(A, B, C) == {A: stale, B: stale, C: Unavailable(Reason.TLS)}


async def test_a_live_answer_is_better_than_a_stale_one(lenient: Sidecar) -> None:
    await kept_then_stale(lenient, A, B)
    lenient.vendor.billings = {A: billing("11.00"), B: Missing()}
    assert await lenient.ask(A, B) == {A: billing("11.00"), B: Missing()}
    assert lenient.tally.stale == 0


async def test_a_stale_answer_is_given_in_time_and_the_live_one_is_still_kept(
    clock: LeapingClock, lenient: Sidecar
) -> None:
    """Under the layer that answers at the deadline, whatever is still open."""
    await kept_then_stale(lenient, A, B)
    lenient.vendor.hold()
    top = FailOpen(lenient.cache, spawn=lenient.tasks.spawn, report=lambda _: None)
    call = lenient.call(0.45)
    asking = asyncio.gather(ask(top.look_up_billing, [A, C], call))
    await turns()
    clock.leap(0.425)
    await turns()
    assert lenient.told.of["stood_in"] == 1
    lenient.vendor.let_go()
    (said,) = await asking
    assert said == {A: replace(billing(), stale=True), C: billing()}
    await lenient.vault.keeper.written()
    assert await lenient.ask(A) == {A: billing()}


@pytest.mark.parametrize("budget_s", [0.02, 0.05, 0.1, 0.45, 1.9])
async def test_a_stale_answer_beats_the_deadline_of_a_vendor_who_hangs(
    clock: LeapingClock, lenient: Sidecar, budget_s: float
) -> None:
    await kept_then_stale(lenient, A)
    lenient.vendor.hold()
    top = FailOpen(lenient.cache, spawn=lenient.tasks.spawn, report=lambda _: None)
    asking = asyncio.gather(ask(top.look_up_billing, [A, B], lenient.call(budget_s)))
    await turns()
    clock.leap(budget_s)
    (said,) = await asking
    assert said == {A: replace(billing(), stale=True), B: Unavailable(Reason.DEADLINE)}


async def test_a_stale_answer_is_not_kept_again(lenient: Sidecar) -> None:
    await kept_then_stale(lenient, A)
    lenient.vendor.price = lambda _: Unavailable(Reason.TLS)
    await lenient.ask(A)
    lenient.clock.leap(60)
    assert await lenient.ask(A) == {A: Unavailable(Reason.TLS)}


async def test_without_staleness_nothing_stands_in(sidecar: Sidecar, vendor: Vendor) -> None:
    await kept_then_stale(sidecar, A)
    vendor.price = lambda _: Unavailable(Reason.TLS)
    assert await sidecar.ask(A) == {A: Unavailable(Reason.TLS)}


# A cache that fails has nothing


async def test_a_store_that_fails_is_as_if_it_were_empty(clock: LeapingClock) -> None:
    store = HeldStore(memory(clock))
    sidecar = Sidecar(clock, store, new_rings())
    store.fails = StoreFailed("refused")
    assert await sidecar.ask(A, B) == {A: billing(), B: billing()}
    assert cache_status(sidecar.tally, is_batch=True) == (
        'bss-sidecar; fwd=bypass; detail="hits=0,misses=2,bypassed=2"'
    )
    assert sidecar.told.of == {"bypassed refused": 1, "dropped refused": 2}
    await sidecar.aclose()


async def test_a_store_that_breaks_in_an_unforeseen_way_is_told_and_empty(
    clock: LeapingClock,
) -> None:
    store = HeldStore(memory(clock))
    sidecar = Sidecar(clock, store, new_rings())
    store.fails = RuntimeError("canary-4711")
    call = sidecar.call()
    assert await collect(sidecar.cache.look_up_billing, [A], call) == {A: billing()}
    assert sidecar.told.of["broke RuntimeError"] == 1
    await sidecar.vault.keeper.written()
    assert sidecar.told.of["broke RuntimeError"] == 2, "so does a write"
    store.fails = None
    await sidecar.only_the_store_knows()
    await sidecar.ask(A)
    await sidecar.only_the_store_knows()
    await sidecar.ask(A)
    assert sidecar.tally.hits == 1, "and it is used again when it works again"
    await sidecar.aclose()


async def test_a_store_that_cannot_be_asked_for_tombstones_is_as_if_nothing_had_been_learned(
    clock: LeapingClock,
) -> None:
    """Another sidecar may have forgotten the customer since."""
    store = HeldStore(memory(clock))
    sidecar = Sidecar(clock, store, new_rings())
    await collect(sidecar.cache.look_up_billing, [A], sidecar.call())
    store.fails = StoreFailed("timeout")
    await collect(sidecar.cache.look_up_billing, [A], sidecar.call())
    assert (sidecar.vendor.questions, sidecar.tally.misses, sidecar.tally.bypassed) == (2, 1, 1)
    store.fails_after = 1
    store.fails = None
    await collect(sidecar.cache.look_up_billing, [A], sidecar.call())
    assert (sidecar.vendor.questions, sidecar.tally.misses) == (3, 1)
    await sidecar.aclose()


async def test_a_question_that_is_cancelled_leaves_nothing_behind(clock: LeapingClock) -> None:
    store = HeldStore(memory(clock))
    sidecar = Sidecar(clock, store, new_rings())
    store.hold()
    asking = asyncio.get_running_loop().create_task(sidecar.ask(A))
    await store.arrived.wait()
    asking.cancel()
    await turns()
    assert asking.cancelled()
    assert not sidecar.vault.inquiries
    assert sidecar.vendor.questions == 0
    store.gate.set()
    await sidecar.aclose()


async def test_a_question_without_a_tally_is_answered_too(sidecar: Sidecar) -> None:
    call = sidecar.call()
    call.tally = None
    assert await collect(sidecar.cache.look_up_billing, [A], call) == {A: billing()}
    assert sidecar.tally == Tally()


# A thousand callers


async def test_who_asks_while_an_answer_is_being_written_is_answered_by_it(
    clock: LeapingClock,
) -> None:
    """Also when the store was asked before the answer was there, and says that it has nothing."""
    store = HeldStore(memory(clock))
    sidecar = Sidecar(clock, store, new_rings())
    sidecar.vendor.hold()
    first = asyncio.gather(sidecar.ask(A))
    await turns()
    store.hold()
    second = asyncio.gather(sidecar.ask(A))
    await store.arrived.wait()
    sidecar.vendor.let_go()
    await turns()
    store.gate.set()
    for asking in (first, second):
        (said,) = await asking
        assert said == {A: billing()}
    assert sidecar.vendor.questions == 1
    await sidecar.aclose()
