"""Early refreshes: a hot customer never waits, the vendor is asked once, and not for too many."""

import asyncio
import random
from uuid import UUID, uuid4

import pytest

from adapters.lookup import collect
from adapters.outcome import LookupFailed, Reason, Unavailable
from proxy.cache.envelope import Key
from proxy.cache.keys import new_rings
from proxy.cache.refresh import MOST, REST_S, Refreshes
from proxy.lifecycle import Tasks
from tests.servers.leaping import LeapingClock
from tests.unit.cache.caching import CONNECTION, TENANT, Sidecar, billing, turns

A, B = uuid4(), uuid4()


@pytest.fixture
async def eager(clock: LeapingClock, sidecar: Sidecar) -> Sidecar:
    """Refreshes whatever is within the last moments of its life, and nothing before."""
    return Sidecar(clock, sidecar.store, new_rings(), early_refresh=True)


async def hit(sidecar: Sidecar, *customer_ids: UUID) -> None:
    """Answered from what is kept, whatever the vendor does."""
    call = sidecar.call(is_batch=len(customer_ids) > 1)
    answer = await collect(sidecar.cache.look_up_billing, customer_ids, call)
    assert set(answer) == set(customer_ids)
    assert sidecar.tally.misses == 0


async def learned(sidecar: Sidecar, *customer_ids: UUID, took_s: float = 0.1) -> None:
    sidecar.vendor.hold()
    asking = asyncio.gather(sidecar.ask(*customer_ids))
    await turns()
    sidecar.clock.leap(took_s)
    sidecar.vendor.let_go()
    await asking


async def about_to_end(sidecar: Sidecar, *customer_ids: UUID, took_s: float = 0.1) -> None:
    """Kept entries with so much life left as a lookup takes."""
    await learned(sidecar, *customer_ids, took_s=took_s)
    sidecar.clock.leap(30 - 2 * took_s)
    await turns()


async def test_an_entry_is_refreshed_by_who_uses_it_before_it_ends(
    eager: Sidecar, clock: LeapingClock
) -> None:
    await about_to_end(eager, A)
    eager.vendor.billings = {A: billing("11.00")}
    await hit(eager, A)
    assert eager.tally.refreshes == 1
    await turns()
    await eager.only_the_store_knows()
    clock.leap(20)
    assert await eager.ask(A) == {A: billing("11.00")}
    assert eager.vendor.asked[A] == 2
    assert eager.told.of["renewed"] == 1
    await eager.aclose()


async def test_who_uses_an_entry_never_waits_for_its_refresh(eager: Sidecar) -> None:
    await about_to_end(eager, A)
    eager.vendor.hold()
    for _ in range(100):
        await hit(eager, A)
    await turns()
    assert eager.vendor.asked[A] == 2, "one at a time"
    eager.vendor.let_go()
    await turns()
    await hit(eager, A)
    assert eager.tally.refreshes == 0, "it is new"
    await eager.aclose()


async def test_a_batch_refreshes_all_that_are_due_with_one_question(eager: Sidecar) -> None:
    ids = [uuid4() for _ in range(50)]
    await about_to_end(eager, *ids)
    await hit(eager, *ids)
    await turns()
    assert (eager.tally.refreshes, eager.vendor.questions) == (50, 2)
    await eager.aclose()


async def test_who_waits_for_an_answer_comes_before_a_refresh(eager: Sidecar) -> None:
    """The call of a refresh has a budget of its own, the time of now, and no tally."""
    await about_to_end(eager, A)
    await hit(eager, A)
    await turns()
    asked, refresh = eager.vendor.calls
    assert (asked.is_batch, refresh.is_batch) == (False, True)
    assert refresh.tenant == asked.tenant
    assert refresh.tally is None
    assert (refresh.asked_at - asked.asked_at).total_seconds() > 29
    assert refresh.deadline > asked.deadline + 29
    await eager.aclose()


async def test_a_refresh_that_fails_is_not_repeated_at_once_and_harms_nobody(
    eager: Sidecar, clock: LeapingClock
) -> None:
    await about_to_end(eager, A, took_s=3)
    eager.vendor.billings = {A: Unavailable(Reason.VENDOR_ERROR)}
    eager.vendor.fails = LookupFailed(Reason.VENDOR_ERROR)
    for _ in range(10):
        await hit(eager, A)
        await turns()
    assert (eager.vendor.asked[A], eager.told.of["not renewed"]) == (2, 1)
    clock.leap(REST_S)
    await turns()
    await hit(eager, A)
    await turns()
    assert eager.vendor.asked[A] == 3
    await eager.aclose()


async def test_what_breaks_in_a_refresh_is_told_and_nothing_else(eager: Sidecar) -> None:
    await about_to_end(eager, A)
    eager.vendor.fails = RuntimeError("canary-4711")  # type: ignore[assignment]  # it is broken
    eager.vendor.billings = {A: Unavailable(Reason.VENDOR_ERROR)}
    await hit(eager, A)
    await turns()
    assert eager.told.of["broke RuntimeError"] == 1
    await eager.aclose()


async def test_a_refresh_that_hangs_ends_with_its_budget(
    eager: Sidecar, clock: LeapingClock
) -> None:
    await about_to_end(eager, A)
    eager.vendor.hold()
    await hit(eager, A)
    await turns()
    clock.leap(2)
    await turns()
    assert eager.told.of["not renewed"] == 1
    await eager.aclose()


async def test_nothing_is_refreshed_where_it_is_switched_off(sidecar: Sidecar) -> None:
    await about_to_end(sidecar, A)
    await hit(sidecar, A)
    await turns()
    assert (sidecar.vendor.asked[A], sidecar.tally.refreshes) == (1, 0)


async def test_at_the_end_of_a_process_refreshes_end(eager: Sidecar) -> None:
    await about_to_end(eager, A)
    eager.vendor.hold()
    await hit(eager, A)
    await turns()
    await eager.aclose()
    assert len(eager.vault.refreshes) == 0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rate", [3, 30])
async def test_the_callers_of_a_hot_customer_never_wait_for_the_vendor(
    clock: LeapingClock, sidecar: Sidecar, rate: int, seed: int
) -> None:
    """Five lives long, a vendor who takes 150 ms, and two sidecars that share a store."""
    luck, rings = random.Random(seed), new_rings()
    one, other = (
        Sidecar(clock, sidecar.store, rings, early_refresh=True, luck=luck.random) for _ in range(2)
    )
    await learned(one, A, took_s=0.15)
    for number in range(rate * 150):
        now = (one, other)[number % 2]
        now.vendor.hold()
        await hit(now, A)
        if now.tally.refreshes:
            await turns()
            clock.leap(0.15)
            now.vendor.let_go()
        clock.leap(1 / rate)
        await turns()
    assert 5 <= one.vendor.questions + other.vendor.questions <= 10
    for each in (one, other):
        each.vendor.let_go()
        await each.aclose()


async def test_who_is_forgotten_before_a_refresh_begins_is_not_asked_about(eager: Sidecar) -> None:
    await about_to_end(eager, A, B)
    call = eager.call(is_batch=True)
    await eager.cache.look_up_billing([A, B], call, lambda *_: None)
    eager.vault.refreshes.forget(Key(TENANT, CONNECTION, "billing", A))
    await turns()
    assert (eager.vendor.asked[A], eager.vendor.asked[B]) == (1, 2)
    await eager.aclose()


# Who may begin


def keys(count: int) -> list[Key]:
    return [Key("t", "c", "billing", UUID(int=number)) for number in range(count)]


async def test_no_more_than_so_many_are_refreshed_at_once() -> None:
    refreshes = Refreshes()
    assert len(refreshes.admit(keys(MOST + 1))) == MOST
    assert refreshes.admit(keys(MOST + 1)) == []


async def test_a_forgotten_customer_makes_room_and_the_others_of_a_batch_go_on() -> None:
    refreshes, tasks = Refreshes(most=3), Tasks(lambda _: None)
    forever = asyncio.Event()

    async def wait() -> None:
        await forever.wait()

    two = refreshes.admit(keys(2))
    task = tasks.spawn(wait())
    refreshes.begin(two, task, set(two))
    refreshes.forget(two[0])
    await turns()
    assert not task.cancelled()
    assert two[0] not in refreshes
    assert two[1] in refreshes
    assert refreshes.admit(two) == [two[0]]
    refreshes.forget(two[1])
    await turns()
    assert task.cancelled(), "nobody is left to ask for"
    assert two[0] in refreshes, "it belongs to another refresh"
    await refreshes.aclose()


@pytest.mark.parametrize("customers", [1, 2])
async def test_chance_is_asked_once_about_each_use_however_many_customers_there_are(
    clock: LeapingClock, sidecar: Sidecar, customers: int
) -> None:
    drawn: list[float] = []

    def luck() -> float:
        drawn.append(1 - 1e-9)
        return drawn[-1]

    chancy = Sidecar(clock, sidecar.store, new_rings(), early_refresh=True, luck=luck)
    asked = (A, B)[:customers]
    await learned(chancy, *asked)
    clock.leap(14)
    await turns()
    drawn.clear()
    await hit(chancy, *asked)
    assert chancy.tally.refreshes == len(drawn) == customers
    await chancy.aclose()
