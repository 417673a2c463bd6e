"""Questions about the same customer share one lookup, and nothing but its answer."""

import asyncio
from uuid import UUID

import pytest

from adapters.outcome import Dispute, Found, LookupFailed, Missing, Reason, Unavailable
from proxy.lookup.fail_open import HEAD_START_S
from tests.servers.leaping import LeapingClock
from tests.unit.lookup.flying import LONG_S, Bench, fee, finish, settled

A, B, C, D = (UUID(int=number) for number in range(1, 5))


# Sharing


async def test_a_thousand_questions_about_one_customer_are_one_lookup(bench: Bench) -> None:
    questions = [await bench.ask(A, settle=False) for _ in range(1000)]
    await settled()
    (asked,) = bench.vendor.asked
    asked.answer(fee(5))
    for one in questions:
        assert await one.result() == {A: fee(5)}


async def test_only_the_new_customers_of_a_question_are_asked_about_and_all_at_once(
    bench: Bench,
) -> None:
    first = await bench.ask(A, B)
    second = await bench.ask(B, C, D)
    assert [one.ids for one in bench.vendor.asked] == [[A, B], [C, D]]
    bench.vendor.asked[0].answer(fee(1), fee(2))
    bench.vendor.asked[1].answer(fee(3), Missing())
    assert await first.result() == {A: fee(1), B: fee(2)}
    assert await second.result() == {B: fee(2), C: fee(3), D: Missing()}


async def test_a_customer_is_learned_without_waiting_for_the_rest_of_anybodys_batch(
    bench: Bench,
) -> None:
    batch = await bench.ask(A, B)
    single = await bench.ask(A)
    bench.vendor.asked[0].learn(A, fee(1))
    assert await single.result() == {A: fee(1)}
    assert batch.learned == {A: fee(1)}
    assert not batch.task.done()
    bench.vendor.asked[0].learn(B, fee(2))
    await settled()
    assert batch.task.done(), "it has all it asked for, whatever the adapter has still to do"
    bench.vendor.asked[0].end()


async def test_who_was_answered_is_asked_about_anew(bench: Bench) -> None:
    batch = await bench.ask(A, B)
    bench.vendor.asked[0].learn(A, fee(1))
    later = await bench.ask(A)
    assert [one.ids for one in bench.vendor.asked] == [[A, B], [A]]
    bench.vendor.asked[1].answer(fee(9))
    assert await later.result() == {A: fee(9)}
    assert batch.learned == {A: fee(1)}
    await finish([batch])


async def test_billing_and_disputes_share_nothing(bench: Bench) -> None:
    billing, disputes = await bench.ask(A), await bench.ask(A, disputes=True)
    assert len(bench.vendor.asked) == 2
    bench.vendor.asked[1].answer(Found(Dispute(active=True)))
    assert await disputes.result() == {A: Found(Dispute(active=True))}
    assert billing.learned == {}
    await finish([billing])


async def test_the_first_word_about_a_customer_stands_and_strangers_are_nobodys(
    bench: Bench,
) -> None:
    one = await bench.ask(A, B)
    (asked,) = bench.vendor.asked
    for customer_id, lookup in ((A, fee(1)), (A, fee(2)), (C, fee(3)), (B, Missing())):
        asked.learn(customer_id, lookup)
    asked.end()
    assert await one.result() == {A: fee(1), B: Missing()}


async def test_it_speaks_for_the_adapter_below(bench: Bench) -> None:
    assert bench.layer.source == "double"
    assert bench.layer.is_estimate is False
    assert bench.layer.reporting_currency == "GBP"
    assert bench.layer.clock is bench.vendor.clock


# Failures


async def test_a_failure_is_for_those_who_wait_and_not_for_who_comes_later(bench: Bench) -> None:
    waiting = [await bench.ask(A), await bench.ask(A)]
    bench.vendor.asked[0].end(LookupFailed(Reason.RATE_LIMITED, retry_after_s=7))
    for one in waiting:
        assert await one.result() == {A: Unavailable(Reason.RATE_LIMITED, 7)}
    later = await bench.ask(A)
    bench.vendor.asked[1].answer(fee(1))
    assert await later.result() == {A: fee(1)}


async def test_a_failure_costs_only_those_of_whom_there_is_no_word_yet(bench: Bench) -> None:
    one = await bench.ask(A, B)
    bench.vendor.asked[0].learn(B, fee(2))
    bench.vendor.asked[0].end(LookupFailed(Reason.TLS))
    assert await one.result() == {A: Unavailable(Reason.TLS), B: fee(2)}


async def test_an_adapter_that_leaves_a_customer_out_has_not_answered(bench: Bench) -> None:
    one = await bench.ask(A)
    bench.vendor.asked[0].end()
    assert await one.result() == {A: Unavailable(Reason.BAD_RESPONSE)}


async def test_what_breaks_is_reported_once_however_many_wait(bench: Bench) -> None:
    waiting = [await bench.ask(A) for _ in range(3)]
    bench.vendor.asked[0].end(ExceptionGroup("canary", [KeyError("canary"), ValueError("canary")]))
    for one in waiting:
        assert await one.result() == {A: Unavailable(Reason.VENDOR_ERROR)}
    assert bench.reported == ["KeyError+ValueError"]


async def test_a_lookup_that_is_cancelled_from_below_leaves_nobody_waiting(bench: Bench) -> None:
    waiting = [await bench.ask(A), await bench.ask(A, settle=False)]
    await settled()
    await bench.tasks.cancel()
    for one in waiting:
        assert await one.result() == {A: Unavailable(Reason.VENDOR_ERROR)}


async def test_a_lookup_that_is_cancelled_before_its_first_step_leaves_nobody_waiting(
    bench: Bench,
) -> None:
    one = await bench.ask(A, settle=False)
    await asyncio.sleep(0)
    assert bench.layer.flights == 1
    assert not bench.vendor.asked
    await bench.tasks.cancel()
    assert await one.result() == {A: Unavailable(Reason.VENDOR_ERROR)}


# Deadlines


async def test_each_question_leaves_at_its_own_deadline(bench: Bench, clock: LeapingClock) -> None:
    patient = await bench.ask(A, budget_s=2 * LONG_S)
    impatient = await bench.ask(A, budget_s=LONG_S)
    clock.leap(LONG_S + 1)
    with pytest.raises(LookupFailed) as failed:
        await impatient.task
    assert failed.value.reason is Reason.DEADLINE
    bench.vendor.asked[0].answer(fee(1))
    assert await patient.result() == {A: fee(1)}


async def test_a_lookup_lives_as_long_as_its_most_patient_waiter(
    bench: Bench, clock: LeapingClock
) -> None:
    impatient = await bench.ask(A, budget_s=LONG_S)
    patient = await bench.ask(A, budget_s=2 * LONG_S)
    clock.leap(LONG_S + 1)
    assert await impatient.result() == {}
    assert bench.vendor.under_way == bench.vendor.asked, "its own timer has moved"
    bench.vendor.asked[0].answer(fee(1))
    assert await patient.result() == {A: fee(1)}
    assert len(bench.vendor.asked) == 1


async def test_what_a_batch_knows_at_its_deadline_it_has(bench: Bench, clock: LeapingClock) -> None:
    batch = await bench.ask(A, B)
    bench.vendor.asked[0].learn(A, fee(1))
    clock.leap(LONG_S + 1)
    assert await batch.result() == {A: fee(1)}


async def test_at_the_deadline_the_lookup_ends_by_itself_and_is_not_cancelled(
    bench: Bench, clock: LeapingClock
) -> None:
    """Who is cancelled can't say that the vendor was too slow, and the breaker would not learn."""
    one = await bench.ask(A)
    clock.leap(LONG_S)
    await one.result()
    await settled()
    assert bench.layer.flights == 0
    assert not bench.vendor.asked[0].cancelled


async def test_a_lookup_that_looks_at_no_deadline_is_cut_off_a_little_later(
    bench: Bench, clock: LeapingClock
) -> None:
    bench.vendor.deaf = True
    one = await bench.ask(A)
    clock.leap(LONG_S + 0.001)
    assert await one.result() == {}
    assert not bench.vendor.asked[0].cancelled
    clock.leap(1)
    await settled()
    assert bench.vendor.asked[0].cancelled


async def test_nobody_joins_a_lookup_that_is_about_to_end(
    bench: Bench, clock: LeapingClock
) -> None:
    dying = await bench.ask(A)
    clock.leap(LONG_S - 0.001)
    later = [await bench.ask(A)]
    assert len(bench.vendor.asked) == 2
    bench.vendor.asked[0].answer(fee(1))
    await dying.result()
    later.append(await bench.ask(A))
    assert len(bench.vendor.asked) == 2, "the one that ended took nobody along"
    bench.vendor.asked[1].answer(fee(2))
    for one in later:
        assert await one.result() == {A: fee(2)}


async def test_when_only_the_less_patient_are_left_the_lookup_ends_with_them(
    bench: Bench, clock: LeapingClock
) -> None:
    impatient = await bench.ask(A, budget_s=LONG_S)
    patient = await bench.ask(A, budget_s=9 * LONG_S)
    patient.task.cancel()
    clock.leap(LONG_S + 1)
    await impatient.result()
    await settled()
    assert bench.vendor.asked[0].cancelled
    assert bench.layer.flights == 0


# Cancellation


async def test_who_is_cancelled_harms_nobody_else(bench: Bench) -> None:
    questions = [await bench.ask(A) for _ in range(3)]
    for one in questions[:2]:  # the one that began the lookup among them
        one.task.cancel()
    await settled()
    assert [one.task.cancelled() for one in questions] == [True, True, False]
    bench.vendor.asked[0].answer(fee(1))
    assert await questions[2].result() == {A: fee(1)}


async def test_when_the_last_one_is_cancelled_the_lookup_has_ended_before_it_passes(
    bench: Bench,
) -> None:
    bench.vendor.turns_to_end = 5
    questions = [await bench.ask(A), await bench.ask(A)]
    for one in questions:
        one.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await questions[1].task
    assert bench.vendor.asked[0].cancelled


async def test_who_comes_after_the_last_one_was_cancelled_is_asked_about_anew(
    bench: Bench,
) -> None:
    gone = await bench.ask(A)
    gone.task.cancel()
    await asyncio.sleep(0)
    assert bench.layer.flights == 1, "it is being cancelled"
    later = await bench.ask(A, settle=False)
    await settled()
    bench.vendor.asked[1].answer(fee(1))
    assert await later.result() == {A: fee(1)}


async def test_a_batch_that_is_cancelled_goes_on_for_the_one_customer_somebody_waits_for(
    bench: Bench,
) -> None:
    batch, single = await bench.ask(A, B), await bench.ask(B)
    batch.task.cancel()
    await settled()
    assert not bench.vendor.asked[0].cancelled
    bench.vendor.asked[0].learn(B, fee(2))
    assert await single.result() == {B: fee(2)}
    await settled()
    assert bench.vendor.asked[0].cancelled, "nobody wants to know of the others any more"


# Letting go when an answer is due


async def test_who_is_cut_off_as_an_answer_is_due_waits_unheard_until_the_deadline(
    bench: Bench, clock: LeapingClock
) -> None:
    """To end hundreds of exchanges at that moment would keep the answer waiting."""
    early, late = await bench.ask(A, B, budget_s=1), await bench.ask(B, C, budget_s=2)
    clock.leap(1 - HEAD_START_S)
    early.task.cancel()
    await settled()
    assert early.task.done(), "it lets go at once"
    assert bench.layer.customers_in_flight == 4
    clock.leap(HEAD_START_S)
    await settled()
    assert bench.layer.customers_in_flight == 3, "of A nobody wants to hear any more"
    await finish([late])
    assert await bench.is_idle()
