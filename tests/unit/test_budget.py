"""Budgets: of a question, and of one step of it."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.call import Budget, Call
from adapters.identity import PATIENCE, patient

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def a_third(end: float) -> float:
    return end / 3


@given(st.floats(0, 1e6), st.lists(st.floats(0, 1e6), max_size=5))
def test_a_part_is_what_it_would_be_of_the_whole_as_it_is_now(
    first: float, later: list[float]
) -> None:
    whole = Budget(first)
    part = whole.part(a_third)
    smaller = part.part(a_third)
    for end in later:
        whole.extend(end)
    assert part.deadline == whole.part(a_third).deadline == max(first, *later, 0.0) / 3
    assert smaller.deadline == part.deadline / 3


async def test_who_waits_under_a_part_waits_on_when_the_whole_grows() -> None:
    loop = asyncio.get_running_loop()
    whole = Budget(loop.time() + 0.01)
    part = whole.part(lambda end: end - 0.005)
    async with part.timer():
        whole.extend(loop.time() + 30)
        late = loop.create_future()
        loop.call_later(0.03, late.set_result, "late")
        assert await late == "late"


async def test_what_is_done_under_a_part_ends_with_the_part() -> None:
    whole = Budget(asyncio.get_running_loop().time() + 30)
    part = whole.part(lambda end: end - 29.99)
    with pytest.raises(TimeoutError):
        async with part.timer():
            await asyncio.Event().wait()


async def test_a_map_is_read_within_a_third_of_what_is_left_whatever_that_is() -> None:
    now = asyncio.get_running_loop().time()
    call = Call(deadline=now + 3, asked_at=NOW, tenant="acme", is_batch=True)
    reading = patient(call)
    assert reading.deadline == pytest.approx(now + 3 * PATIENCE, abs=0.1)
    assert (reading.tenant, reading.is_batch) == ("acme", True)
    call.budget.extend(now + 30)
    assert reading.deadline == pytest.approx(now + 30 * PATIENCE, abs=0.1)
    over = patient(Call(deadline=now - 5, asked_at=NOW))
    assert over.deadline >= now
