"""A question about one customer whom a batch asks about is never slower for it than alone."""

from uuid import UUID

import pytest

from adapters.outcome import LookupFailed, Reason, Unavailable
from proxy.lookup.coalesce import PATIENCE
from tests.servers.leaping import LeapingClock
from tests.unit.lookup.flying import LONG_S, Bench, fee, finish, settled

A, B, C, D = (UUID(int=number) for number in range(1, 5))


async def test_a_single_relies_on_a_batch_for_a_while_and_then_asks_by_itself(
    bench: Bench, clock: LeapingClock
) -> None:
    batch, single = await bench.ask(A, B), await bench.ask(A)
    clock.leap(LONG_S * PATIENCE - 1)
    await settled()
    assert len(bench.vendor.asked) == 1
    clock.leap(2)
    await settled()
    assert [one.ids for one in bench.vendor.asked] == [[A, B], [A]]
    assert not bench.vendor.asked[1].call.is_batch
    bench.vendor.asked[1].answer(fee(1))
    assert await single.result() == {A: fee(1)}
    assert batch.learned == {}
    await finish([batch])


async def test_the_first_good_word_stands_and_the_other_lookup_is_not_kept_up_for_it(
    bench: Bench, clock: LeapingClock
) -> None:
    batch, single = await bench.ask(A, B), await bench.ask(A)
    clock.leap(LONG_S * PATIENCE + 1)
    await settled()
    bench.vendor.asked[0].learn(A, fee(1))
    assert await single.result() == {A: fee(1)}
    await settled()
    assert bench.vendor.asked[1].cancelled
    await finish([batch])


async def test_singles_beside_a_batch_share_the_one_lookup_of_theirs(
    bench: Bench, clock: LeapingClock
) -> None:
    batch = await bench.ask(A, B)
    early = [await bench.ask(A) for _ in range(10)]
    clock.leap(LONG_S * PATIENCE + 1)
    await settled()
    late = await bench.ask(A)
    assert [one.ids for one in bench.vendor.asked] == [[A, B], [A]]
    bench.vendor.asked[1].answer(fee(1))
    for one in (*early, late):
        assert await one.result() == {A: fee(1)}
    await finish([batch])


@pytest.mark.parametrize("reason", [Reason.OVERLOAD, Reason.DEADLINE])
async def test_a_single_is_not_refused_because_a_batch_is(bench: Bench, reason: Reason) -> None:
    batch, single = await bench.ask(A, B), await bench.ask(A)
    bench.vendor.asked[0].end(LookupFailed(reason))
    await settled()
    assert await batch.result() == {A: Unavailable(reason), B: Unavailable(reason)}
    bench.vendor.asked[1].answer(fee(1))
    assert await single.result() == {A: fee(1)}


async def test_what_the_vendor_did_to_a_batch_is_true_for_a_single_that_waited(
    bench: Bench,
) -> None:
    batch, single = await bench.ask(A, B), await bench.ask(A)
    bench.vendor.asked[0].end(LookupFailed(Reason.UNREACHABLE))
    assert await single.result() == {A: Unavailable(Reason.UNREACHABLE)}
    assert len(bench.vendor.asked) == 1
    await batch.result()


@pytest.mark.parametrize("first", [0, 1])
async def test_one_of_two_failures_does_not_end_the_wait_for_the_other_lookup(
    bench: Bench, clock: LeapingClock, first: int
) -> None:
    batch, single = await bench.ask(A, B), await bench.ask(A)
    clock.leap(LONG_S * PATIENCE + 1)
    await settled()
    bench.vendor.asked[first].end(LookupFailed(Reason.VENDOR_ERROR))
    await settled()
    assert not single.task.done()
    bench.vendor.asked[1 - first].learn(A, fee(1))
    bench.vendor.asked[1 - first].end()
    assert await single.result() == {A: fee(1)}
    await finish([batch])


async def test_where_both_fail_the_first_failure_is_told(bench: Bench, clock: LeapingClock) -> None:
    batch, single = await bench.ask(A, B), await bench.ask(A)
    clock.leap(LONG_S * PATIENCE + 1)
    await settled()
    bench.vendor.asked[1].end(LookupFailed(Reason.BREAKER_OPEN))
    bench.vendor.asked[0].end(LookupFailed(Reason.VENDOR_ERROR))
    assert await single.result() == {A: Unavailable(Reason.BREAKER_OPEN)}
    await batch.result()


async def test_a_single_beside_a_batch_leaves_at_its_deadline_with_what_it_heard(
    bench: Bench, clock: LeapingClock
) -> None:
    batch = await bench.ask(A, B, budget_s=9 * LONG_S)
    told, untold = await bench.ask(A), await bench.ask(B)
    clock.leap(LONG_S * PATIENCE + 1)
    await settled()
    asked = next(one for one in bench.vendor.asked if one.ids == [A])
    asked.end(LookupFailed(Reason.VENDOR_ERROR))
    await settled()
    clock.leap(LONG_S)
    assert await told.result() == {A: Unavailable(Reason.VENDOR_ERROR)}
    with pytest.raises(LookupFailed) as failed:
        await untold.task
    assert failed.value.reason is Reason.DEADLINE
    await finish([batch])


async def test_a_single_beside_a_batch_that_is_cancelled_ends_its_own_lookup_alone(
    bench: Bench, clock: LeapingClock
) -> None:
    batch, single = await bench.ask(A, B), await bench.ask(A)
    clock.leap(LONG_S * PATIENCE + 1)
    await settled()
    single.task.cancel()
    await settled()
    assert [one.cancelled for one in bench.vendor.asked] == [False, True]
    await finish([batch])


async def test_a_batch_waits_for_what_a_single_asks_and_keeps_it_up(
    bench: Bench, clock: LeapingClock
) -> None:
    single = await bench.ask(A, budget_s=LONG_S)
    batch = await bench.ask(A, B, budget_s=4 * LONG_S)
    assert [one.ids for one in bench.vendor.asked] == [[A], [B]]
    clock.leap(LONG_S + 1)
    assert await single.result() == {}
    bench.vendor.asked[0].answer(fee(1))
    bench.vendor.asked[1].answer(fee(2))
    assert await batch.result() == {A: fee(1), B: fee(2)}


async def test_a_batch_waits_with_batches_before_it_keeps_up_what_a_single_asks(
    bench: Bench, clock: LeapingClock
) -> None:
    first, single = await bench.ask(A, B), await bench.ask(A)
    clock.leap(LONG_S * PATIENCE + 1)
    await settled()
    ends = [one.call.deadline for one in bench.vendor.asked]
    second = await bench.ask(A, C, budget_s=4 * LONG_S)
    kept_up = [one.call.deadline > end for one, end in zip(bench.vendor.asked, ends, strict=False)]
    assert kept_up == [True, False]
    await finish([first, single, second])
