"""A forgotten customer is asked about anew; who asked before is answered as if nothing was."""

from uuid import UUID

from tests.unit.lookup.flying import Bench, fee

A, B = UUID(int=1), UUID(int=2)


async def test_who_asks_after_a_forget_shares_nothing_that_began_before_it(bench: Bench) -> None:
    before = await bench.ask(A)
    bench.layer.forget(A)
    after = await bench.ask(A)
    also_after = await bench.ask(A)
    assert [one.ids for one in bench.vendor.asked] == [[A], [A]]
    bench.vendor.asked[0].answer(fee(1))
    assert await before.result() == {A: fee(1)}
    assert not after.task.done()
    bench.vendor.asked[1].answer(fee(2))
    assert await after.result() == await also_after.result() == {A: fee(2)}
    assert bench.layer.customers_in_flight == 0


async def test_the_others_of_a_batch_are_still_shared_when_one_is_forgotten(bench: Bench) -> None:
    batch = await bench.ask(A, B)
    bench.layer.forget(A)
    again = await bench.ask(A, B)
    assert [one.ids for one in bench.vendor.asked] == [[A, B], [A]]
    bench.vendor.asked[0].answer(fee(1), fee(2))
    bench.vendor.asked[1].answer(fee(9))
    assert await batch.result() == {A: fee(1), B: fee(2)}
    assert await again.result() == {A: fee(9), B: fee(2)}


async def test_disputes_of_a_forgotten_customer_are_asked_anew_too(bench: Bench) -> None:
    before = await bench.ask(A, disputes=True)
    bench.layer.forget(A)
    after = await bench.ask(A, disputes=True)
    assert len(bench.vendor.asked) == 2
    for asked in bench.vendor.asked:
        asked.answer(fee(1))
    await before.result()
    await after.result()


async def test_a_customer_nobody_asks_about_can_be_forgotten(bench: Bench) -> None:
    bench.layer.forget(A)
    one = await bench.ask(A)
    bench.vendor.asked[0].answer(fee(1))
    assert await one.result() == {A: fee(1)}
