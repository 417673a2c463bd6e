import asyncio

import pytest

from adapters.exchange import Api, ScriptedExchange, VendorReply, VendorRequest
from adapters.outcome import LookupFailed, Reason
from proxy.exchange.bulkhead import Bulkhead
from proxy.guard.slots import Slots
from tests.unit.exchange.servers import call

ASKED = VendorRequest(Api.CUSTOMER, "customer")
FINE = VendorReply(200, {}, [])


@pytest.mark.parametrize("error", [LookupFailed(Reason.TLS), ValueError()])
async def test_a_slot_comes_back_however_an_exchange_fails(error: Exception) -> None:
    def fail(_request: VendorRequest) -> VendorReply:
        raise error

    slots = Slots(1, queue_length=0)
    guarded = Bulkhead(ScriptedExchange(fail), slots=slots)
    for _ in range(3):
        with pytest.raises(type(error)):
            await guarded.send(ASKED, call())
    assert slots.taken == 0


async def test_a_slot_comes_back_when_the_question_is_cancelled() -> None:
    begun = asyncio.Event()

    async def hang() -> VendorReply:
        begun.set()
        await asyncio.Event().wait()
        return FINE

    slots = Slots(1, queue_length=0)
    guarded = Bulkhead(ScriptedExchange(lambda _: hang()), slots=slots)
    task = asyncio.get_running_loop().create_task(guarded.send(ASKED, call()))
    await begun.wait()
    assert slots.taken == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert slots.taken == 0


async def test_the_vendor_never_sees_more_exchanges_than_there_are_slots() -> None:
    in_flight, most = 0, 0

    async def answer() -> VendorReply:
        nonlocal in_flight, most
        in_flight += 1
        most = max(most, in_flight)
        await asyncio.sleep(0)
        in_flight -= 1
        return FINE

    guarded = Bulkhead(ScriptedExchange(lambda _: answer()), slots=Slots(3, queue_length=100))
    replies = await asyncio.gather(*(guarded.send(ASKED, call()) for _ in range(100)))
    assert (len(replies), most) == (100, 3)
