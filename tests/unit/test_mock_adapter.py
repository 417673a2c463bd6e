"""The mock says what it was told, and does what a script asks for."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.call import Call
from adapters.lookup import collect
from adapters.mock_adapter import MockBSSAdapter
from adapters.outcome import Billing, Dispute, Found, LookupFailed, Missing, Reason
from adapters.outcome import Unavailable as Un

ANN, BEN, EVE = (UUID(int=number) for number in range(1, 4))
TEN = Billing(plan_name="Ten", monthly_fee=Decimal("10.00"), currency="GBP")
FREE = Billing(plan_name="Free", monthly_fee=Decimal("0.00"), currency="GBP")


def mock() -> MockBSSAdapter:
    return MockBSSAdapter({ANN: TEN, BEN: FREE}, [BEN])


def soon(budget_s: float = 10.0) -> Call:
    deadline = asyncio.get_running_loop().time() + budget_s
    return Call(deadline=deadline, asked_at=datetime(2026, 3, 1, tzinfo=UTC))


async def test_it_answers_from_its_accounts_and_misses_everybody_else() -> None:
    adapter = mock()
    billing = await collect(adapter.look_up_billing, [ANN, BEN, EVE], soon())
    disputes = await collect(adapter.look_up_disputes, [ANN, BEN, EVE], soon())
    assert billing == {ANN: Found(TEN), BEN: Found(FREE), EVE: Missing()}
    assert disputes == {ANN: Found(Dispute(False)), BEN: Found(Dispute(True)), EVE: Missing()}


async def test_it_is_always_an_estimate_and_says_so() -> None:
    result = await mock().get_revenue_at_risk([ANN, BEN, EVE])
    assert (result.source, result.is_estimate) == ("mock", True)
    assert result.total_revenue_at_risk == 10.0
    assert (result.priced_customer_count, result.unpriced_customer_count) == (2, 1)
    assert (await mock().get_revenue_at_risk([])).is_estimate


@given(fees=st.dictionaries(st.uuids(), st.integers(0, 10**7), max_size=20))
async def test_a_total_is_the_exact_sum(fees: dict[UUID, int]) -> None:
    accounts = {
        one: Billing(monthly_fee=Decimal(fee) / 100, currency="GBP") for one, fee in fees.items()
    }
    result = await MockBSSAdapter(accounts).get_revenue_at_risk(list(fees))
    assert result.total_revenue_at_risk == (sum(fees.values()) / 100 if fees else None)
    assert result.priced_customer_count == len(fees)


async def test_it_fails_when_told_to_until_told_otherwise() -> None:
    adapter = mock()
    adapter.fail_with(LookupFailed(Reason.RATE_LIMITED, "told to", retry_after_s=7))
    for _ in range(2):
        assert await collect(adapter.look_up_billing, [ANN], soon()) == {
            ANN: Un(Reason.RATE_LIMITED, 7)
        }
    with pytest.raises(LookupFailed, match="rate_limited: told to"):
        await adapter.look_up_disputes([ANN], soon(), lambda *_: None)
    adapter.fail_with(None)
    assert await collect(adapter.look_up_billing, [ANN], soon()) == {ANN: Found(TEN)}


async def test_it_hangs_until_released() -> None:
    adapter = mock()
    adapter.hang()
    assert await collect(adapter.look_up_billing, [ANN], soon(0.01)) == {ANN: Un(Reason.DEADLINE)}
    adapter.hanging.clear()
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(collect(adapter.look_up_billing, [ANN], soon()))
        await adapter.hanging.wait()
        assert not asking.done()
        adapter.release()
    assert asking.result() == {ANN: Found(TEN)}


async def test_single_customers_can_be_told_otherwise() -> None:
    adapter = mock()
    adapter.scripted_billing[ANN] = Un(Reason.OVERLOAD)
    adapter.scripted_billing[EVE] = Found(TEN, stale=True)
    adapter.scripted_disputes[BEN] = Missing()
    billing = await collect(adapter.look_up_billing, [ANN, BEN, EVE], soon())
    disputes = await collect(adapter.look_up_disputes, [ANN, BEN], soon())
    assert billing == {ANN: Un(Reason.OVERLOAD), BEN: Found(FREE), EVE: Found(TEN, stale=True)}
    assert disputes == {ANN: Found(Dispute(False)), BEN: Missing()}


async def test_it_remembers_what_it_was_asked() -> None:
    adapter = mock()
    await collect(adapter.look_up_billing, [ANN, BEN, ANN], soon())
    await collect(adapter.look_up_disputes, [EVE], soon())
    assert list(adapter.asked) == [(ANN, BEN), (EVE,)]
