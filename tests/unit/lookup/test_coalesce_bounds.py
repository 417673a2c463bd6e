"""Above a bound customers are refused at once, so that nothing grows without limit."""

import asyncio
from uuid import UUID

from adapters.outcome import Reason, Unavailable
from proxy.lookup.coalesce import PATIENCE
from tests.servers.leaping import LeapingClock
from tests.unit.lookup.flying import LONG_S, Bench, Question, fee, finish, settled

A, B, C, D = (UUID(int=number) for number in range(1, 5))


async def asked_of(bench: Bench, *groups: tuple[UUID, ...]) -> list[Question]:
    return [await bench.ask(*ids) for ids in groups]


async def test_above_the_bound_customers_are_refused_at_once_and_the_others_served(
    clock: LeapingClock,
) -> None:
    bench = Bench(most_customers=3)
    first, second = await asked_of(bench, (A, B), (C, D))
    assert second.learned == {D: Unavailable(Reason.OVERLOAD)}
    bench.vendor.asked[1].answer(fee(3))
    assert await second.result() == {C: fee(3), D: Unavailable(Reason.OVERLOAD)}
    third = await bench.ask(D)
    bench.vendor.asked[2].answer(fee(4))
    assert await third.result() == {D: fee(4)}
    await finish([first])
    assert await bench.is_idle()


async def test_questions_about_billing_and_disputes_count_together(clock: LeapingClock) -> None:
    bench = Bench(most_customers=1)
    billing = await bench.ask(A)
    disputes = await bench.ask(A, disputes=True)
    assert await disputes.result() == {A: Unavailable(Reason.OVERLOAD)}
    await finish([billing])


async def test_who_joins_takes_room_too(clock: LeapingClock) -> None:
    bench = Bench(most_customers=2)
    questions = await asked_of(bench, (A,), (A,), (A,))
    assert await questions[2].result() == {A: Unavailable(Reason.OVERLOAD)}
    await finish(questions[1:2])
    again = await bench.ask(A)
    bench.vendor.asked[0].answer(fee(1))
    assert await again.result() == {A: fee(1)}
    assert await bench.is_idle()


async def test_a_single_beside_a_batch_is_refused_where_there_is_no_room(
    clock: LeapingClock,
) -> None:
    bench = Bench(most_customers=2)
    batch, single = await asked_of(bench, (A, B), (A,))
    assert await single.result() == {A: Unavailable(Reason.OVERLOAD)}
    await finish([batch])


async def test_without_room_for_a_lookup_of_its_own_a_single_goes_on_with_the_batch(
    clock: LeapingClock,
) -> None:
    bench = Bench(most_customers=3)
    batch, single = await asked_of(bench, (A, B), (A,))
    clock.leap(LONG_S * PATIENCE + 1)
    await settled()
    assert len(bench.vendor.asked) == 1
    bench.vendor.asked[0].answer(fee(1), fee(2))
    assert await single.result() == {A: fee(1)}
    await batch.result()
    assert await bench.is_idle()


async def test_an_adapter_that_can_not_be_stopped_keeps_its_room(clock: LeapingClock) -> None:
    release = asyncio.Event()
    bench = Bench(most_customers=1)

    async def stubborn(*_args: object) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    bench.layer._billing._look_up = stubborn
    one = await bench.ask(A, budget_s=0.01)
    clock.leap(1)
    assert await one.result() == {}
    refused = await bench.ask(B)
    assert await refused.result() == {B: Unavailable(Reason.OVERLOAD)}
    release.set()
    await settled()
    assert await bench.is_idle()
