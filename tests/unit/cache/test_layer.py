"""The layer: fresh entries answer, the rest is asked below, and what is said is kept."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from adapters.outcome import Found, LookupFailed, Missing, Reason, Unavailable
from proxy.cache.keys import new_rings
from proxy.cache.tally import cache_status
from tests.servers.leaping import LeapingClock, leaping_clock
from tests.unit.cache.caching import Sidecar, Vendor, billing, memory

A, B, C = uuid4(), uuid4(), uuid4()


@pytest.fixture
async def clock() -> AsyncIterator[LeapingClock]:
    with leaping_clock() as made:
        yield made


@pytest.fixture
async def sidecar(clock: LeapingClock) -> AsyncIterator[Sidecar]:
    one = Sidecar(clock, memory(clock), new_rings())
    yield one
    await one.aclose()


@pytest.fixture
def vendor(sidecar: Sidecar) -> Vendor:
    return sidecar.vendor


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
