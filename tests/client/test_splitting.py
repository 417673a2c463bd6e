"""Many customers: split, asked side by side, merged to the penny."""

import asyncio
from collections import Counter
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pedkai_bss_client import (
    BSSUnavailable,
    Degraded,
    Disputes,
    RevenueResult,
    SidecarBSSAdapter,
    merging,
    question,
)
from pedkai_bss_client.failure import Failure
from pedkai_bss_client.merging import Part

from tests.client.double import (
    Behaviour,
    Seen,
    about,
    hangs,
    prices,
    problem,
    result,
    says,
    sidecar,
)

PENNIES = st.integers(0, 10**9)


def customers(count: int) -> list[UUID]:
    return [UUID(int=number + 1) for number in range(count)]


def fees(ids: list[UUID]) -> dict[UUID, str]:
    return {one: f"{one.int % 97}.{one.int % 100:02}" for one in ids}


async def half_of_all_numbers(seen: Seen, writer: asyncio.StreamWriter) -> None:
    await says(result(1.7e308, len(seen.ids)))(seen, writer)


async def test_a_thousand_customers_are_right_to_the_penny_in_batches_of_200() -> None:
    ids = customers(1_000)
    async with sidecar(prices(fees(ids))) as double, SidecarBSSAdapter(double.url) as adapter:
        found = await adapter.get_revenue_at_risk(ids)
    assert Decimal(repr(found.total_revenue_at_risk)) == sum(map(Decimal, fees(ids).values()))
    assert found.model_dump(exclude={"total_revenue_at_risk"}) == {
        "is_estimate": False,
        "source": "amdocs",
        "priced_customer_count": 1_000,
        "unpriced_customer_count": 0,
        "requires_manual_valuation": False,
    }
    assert Counter(len(seen.ids) for seen in double.seen) == {200: 5}
    assert len({seen.headers["x-correlation-id"] for seen in double.seen}) == 1


async def test_a_customer_asked_for_twice_is_sent_and_counted_once() -> None:
    ids = customers(150)
    async with sidecar(prices(fees(ids))) as double, SidecarBSSAdapter(double.url) as adapter:
        twice = await adapter.get_revenue_at_risk([*ids, *reversed(ids)])
        assert twice == await adapter.get_revenue_at_risk(ids)
    assert [len(seen.ids) for seen in double.seen] == [150, 150]


async def test_parts_are_asked_side_by_side() -> None:
    """No part is answered before all of them are there."""
    waiting, together = [1] * 5, asyncio.Event()
    answer = prices({})

    async def behave(seen: Seen, writer: asyncio.StreamWriter) -> None:
        waiting.pop()
        if not waiting:
            together.set()
        await together.wait()
        await answer(seen, writer)

    async with sidecar(behave) as double, SidecarBSSAdapter(double.url, timeout=30) as adapter:
        found = await adapter.get_revenue_at_risk(customers(1_000))
    assert (found.source, found.unpriced_customer_count) == ("amdocs", 1_000)


async def test_a_part_that_fails_leaves_its_customers_unpriced_and_an_estimate() -> None:
    ids = customers(600)
    for failing in (problem("internal", 500), says(b"?"), hangs):
        behave = about(ids[200:400], failing, prices(fees(ids)))
        async with sidecar(behave) as double, SidecarBSSAdapter(double.url, timeout=1) as adapter:
            answer = await adapter.ask_revenue_at_risk(ids)
        priced = [*ids[:200], *ids[400:]]
        assert answer.value == RevenueResult(
            total_revenue_at_risk=float(sum(Decimal(fees(ids)[one]) for one in priced)),
            is_estimate=True,
            source="amdocs",
            priced_customer_count=400,
            unpriced_customer_count=200,
            requires_manual_valuation=True,
        )
        assert answer.degraded is not None
        assert answer.degraded.unavailable == 200


async def test_a_sidecar_that_lets_in_fewer_at_once_gets_fewer() -> None:
    ids = customers(500)
    whole = prices(fees(ids))

    async def behave(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await (whole if len(seen.ids) <= 60 else problem("too-large", 413))(seen, writer)

    async with sidecar(behave) as double, SidecarBSSAdapter(double.url, timeout=30) as adapter:
        found = await adapter.get_revenue_at_risk(ids)
        assert (found.priced_customer_count, found.is_estimate) == (500, False)
        double.seen.clear()
        assert await adapter.get_revenue_at_risk(ids) == found
        assert max(len(seen.ids) for seen in double.seen) <= 60, "it was learned"


async def test_no_more_than_32_requests_are_in_flight_for_one_question() -> None:
    inside = most = 0

    async def behave(seen: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        await prices({})(seen, writer)
        inside -= 1

    async with sidecar(behave) as double, SidecarBSSAdapter(double.url, timeout=30) as adapter:
        found = await adapter.get_revenue_at_risk(customers(20_000))
    assert found.unpriced_customer_count == 20_000
    assert found.source == "amdocs"
    assert double.connections <= 32
    assert most <= 32


async def test_an_id_that_is_none_is_unpriced_and_the_others_are_asked_for() -> None:
    ids = customers(3)
    async with sidecar(prices(fees(ids))) as double, SidecarBSSAdapter(double.url) as adapter:
        answer = await adapter.ask_revenue_at_risk([ids[0], str(ids[1]), "nobody", ids[2]])  # type: ignore[list-item]  # as a careless caller would
    assert (answer.value.priced_customer_count, answer.value.unpriced_customer_count) == (3, 1)
    assert answer.value.is_estimate
    assert answer.degraded == Degraded("client_error", 1)


async def test_of_nobody_at_all_the_sidecar_says_what_its_source_is() -> None:
    async with sidecar(says(result(None, 0))) as double, SidecarBSSAdapter(double.url) as adapter:
        found = await adapter.get_revenue_at_risk([])
    assert (found.source, found.is_estimate, found.requires_manual_valuation) == (
        "amdocs",
        False,
        False,
    )
    async with SidecarBSSAdapter(double.url) as adapter:
        found = await adapter.get_revenue_at_risk([])
        assert (found.source, found.is_estimate) == ("unavailable", True)
        assert await adapter.check_disputes([]) == []


def disputing(found: list[UUID], unavailable: list[UUID]) -> Behaviour:
    async def behave(seen: Seen, writer: asyncio.StreamWriter) -> None:
        content = {
            "customer_ids": [str(one) for one in found if str(one) in seen.ids],
            "unavailable_customer_ids": [str(one) for one in unavailable if str(one) in seen.ids],
        }
        await says(content)(seen, writer)

    return behave


async def test_disputes_come_in_the_order_asked_and_say_who_could_not_be_asked() -> None:
    ids = customers(600)
    found, unavailable = ids[190:210] + ids[590:], ids[:2]
    behave = about(ids[200:400], problem("internal", 500), disputing(found, unavailable))
    async with sidecar(behave) as double, SidecarBSSAdapter(double.url) as adapter:
        answer = await adapter.ask_disputes(ids)
        assert await adapter.check_disputes(ids) == ids[190:200] + ids[590:]
    assert answer.value == Disputes(ids[190:200] + ids[590:], ids[:2] + ids[200:400])
    assert answer.degraded == Degraded("sidecar_error", 200)


async def test_disputes_raise_when_none_of_the_parts_is_answered() -> None:
    ids = customers(400)
    down = problem("unavailable", 503, reason="breaker_open", retry_after="7")
    behave = about(ids[:200], down, problem("internal", 500))
    async with sidecar(behave) as double:
        async with SidecarBSSAdapter(double.url) as adapter:
            with pytest.raises(BSSUnavailable) as raised:
                await adapter.check_disputes(ids)
        async with SidecarBSSAdapter(double.url, degrade=True) as adapter:
            assert await adapter.check_disputes(ids) == []
            assert (await adapter.ask_disputes(ids)).value == Disputes([], ids)
    assert (raised.value.reason, raised.value.retry_after) == ("breaker_open", 7.0)


async def test_disputes_of_somebody_who_was_not_asked_for_are_no_answer() -> None:
    async with sidecar(disputing([], [])) as double, SidecarBSSAdapter(double.url) as adapter:
        double.behave = says({"customer_ids": [str(uuid4())], "unavailable_customer_ids": []})
        with pytest.raises(BSSUnavailable, match="sidecar_bad_response"):
            await adapter.check_disputes(customers(2))


@given(st.lists(st.lists(st.none() | PENNIES, max_size=5), min_size=1, max_size=12))
def test_merging_parts_gives_what_one_batch_would(batches: list[list[int | None]]) -> None:
    """Of every split of the same customers: totals to the penny, and the counts."""
    parts = [Part(customers(len(batch)), of(batch)) for batch in batches]
    everybody = [one for batch in batches for one in batch]
    merged = merging.revenue(parts)
    assert merged == of(everybody)


@given(
    st.lists(st.lists(st.none() | PENNIES, max_size=5), max_size=6),
    st.lists(st.integers(0, 9), min_size=1, max_size=6),
    st.integers(0, 3),
)
def test_a_lost_part_changes_no_price_and_is_never_hidden(
    answered: list[list[int | None]], lost: list[int], invalid: int
) -> None:
    parts: list[Part[RevenueResult]] = [Part(customers(len(one)), of(one)) for one in answered]
    parts += [Part(customers(count), Failure("sidecar_timeout")) for count in lost]
    merged = merging.revenue(parts, invalid=invalid)
    known = of([one for batch in answered for one in batch])
    gone = sum(lost) + invalid
    assert merged.total_revenue_at_risk == known.total_revenue_at_risk
    assert merged.priced_customer_count == known.priced_customer_count
    assert merged.unpriced_customer_count == known.unpriced_customer_count + gone
    assert merged.is_estimate is (gone > 0 or not answered)
    assert merged.source == ("amdocs" if answered else "unavailable")
    found = merging.degraded(parts, invalid=invalid)
    assert (0 if found is None else found.unavailable) == gone


def of(pennies: list[int | None]) -> RevenueResult:
    """What the sidecar says of a batch, by the rules of the answer."""
    priced = [one for one in pennies if one is not None]
    total = float(Decimal(sum(priced)) / 100) if priced else None
    return RevenueResult(**result(total, len(priced), len(pennies) - len(priced)))


@given(st.lists(st.integers(0, 40)), st.integers(1, 7))
def test_splitting_loses_nobody_and_repeats_nobody(numbers: list[int], most: int) -> None:
    ids, invalid = question.distinct([UUID(int=number) for number in numbers])
    assert invalid == 0
    chunks = list(question.parts(ids, most))
    assert [one for chunk in chunks for one in chunk] == [
        UUID(int=number) for number in dict.fromkeys(numbers)
    ]
    assert all(len(chunk) <= most for chunk in chunks)


@given(st.floats(0.001, 100), st.floats(-1, 100), st.integers(1, 10_000))
def test_the_sidecar_is_told_less_time_than_there_is(
    timeout_s: float, remaining_s: float, questions: int
) -> None:
    told = question.told_ms(timeout_s, remaining_s, questions)
    assert told >= 1
    assert told == 1 or told / 1000 < remaining_s


def test_a_batch_with_the_usual_timeout_leaves_the_sidecar_its_own_deadline() -> None:
    assert 1_890 <= question.told_ms(2.0, 2.0, 1) <= 1_900


async def test_totals_that_no_number_can_hold_together_raise_nothing() -> None:
    """Each by itself is a number, so each part is believed."""
    async with sidecar(half_of_all_numbers) as double, SidecarBSSAdapter(double.url) as adapter:
        answer = await adapter.ask_revenue_at_risk(customers(400))
    assert answer.value == merging.revenue([Part(customers(400), Failure("client_error"))])
    assert answer.degraded == Degraded("client_error", 400)
