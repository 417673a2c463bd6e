import asyncio
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass

import pytest

from adapters.call import Call
from adapters.exchange import Api, ScriptedExchange, VendorReply, VendorRequest
from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.exchange.bulkhead import Bulkhead
from proxy.guard.lag import LoopLag
from proxy.guard.limit import AdaptiveLimit
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


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Late(LoopLag):
    """An event loop that is late when the test says so."""

    by_s = 0.0

    def begin(self) -> float:
        return self.by_s

    def late_s(self) -> float:
        return self.by_s

    def end(self) -> None:
        """Nothing beats."""


class Listening(AdaptiveLimit):
    """Remembers what it is told, in place of learning from it."""

    def __init__(self) -> None:
        super().__init__(1, 8)
        self.told: list[dict[str, object]] = []
        self.wants = 8

    def observe(self, took_s: float, **more: object) -> int:  # type: ignore[override]
        self.told.append({"took_s": round(took_s, 6), **more})
        return self.wants

    def is_slow(self, took_s: float, kind: Hashable = None) -> bool:
        return took_s >= 1.0


@dataclass
class Bench:
    """An exchange that takes as long, and ends, as the test says."""

    takes_s: float = 0.2
    late_s: float = 0.0
    aside_s: float = 0.0
    outcome: BaseException | None = None

    def __post_init__(self) -> None:
        self.limit, self.clock, self.lag = Listening(), Clock(), Late()
        self.slots = Slots(8, queue_length=0)
        self.bulkhead: Bulkhead[str, str] = Bulkhead(
            self, slots=self.slots, limit=self.limit, lag=self.lag, clock=self.clock, kind=len
        )

    async def send(self, request: str, call: Call) -> str:
        self.clock.now += self.takes_s
        self.lag.by_s += self.late_s
        call.spend_aside(self.aside_s)
        if self.outcome:
            raise self.outcome
        return request


async def told(bench: Bench) -> list[dict[str, object]]:
    """What the limit hears of an exchange."""
    with suppress(LookupFailed, asyncio.CancelledError, ValueError):
        await bench.bulkhead.send("abc", call())
    assert bench.slots.taken == 0
    return bench.limit.told


async def test_a_limit_hears_how_long_an_exchange_took_of_which_kind_and_beside_how_many() -> None:
    assert await told(Bench()) == [
        {"took_s": 0.2, "dropped": False, "in_flight": 1, "now": 100.2, "kind": (3, False)}
    ]


async def test_what_was_waited_for_aside_and_our_own_lateness_are_not_the_vendors_time() -> None:
    (heard,) = await told(Bench(takes_s=1.0, aside_s=0.5, late_s=0.1))
    assert heard["took_s"] == 0.4


async def test_an_exchange_under_which_our_loop_was_very_late_says_nothing() -> None:
    assert await told(Bench(takes_s=1.0, late_s=0.3)) == []


@pytest.mark.parametrize(
    ("outcome", "takes_s"),
    [
        (LookupFailed(Reason.RATE_LIMITED), 0.1),
        (LookupFailed(Reason.VENDOR_ERROR, retry_after_s=5), 0.1),
        (LookupFailed(Reason.DEADLINE), 2.0),
        (LookupFailed(Reason.UNREACHABLE), 2.0),
    ],
)
async def test_too_much_for_the_vendor_is_what_it_refuses_for_now_or_does_not_answer(
    outcome: LookupFailed, takes_s: float
) -> None:
    (heard,) = await told(Bench(outcome=outcome, takes_s=takes_s))
    assert heard["dropped"] is True


@pytest.mark.parametrize(
    ("outcome", "takes_s"),
    [
        (NotAsked(Reason.RATE_LIMITED, retry_after_s=5), 2.0),
        (NotAsked(Reason.BREAKER_OPEN), 0.0),
        (LookupFailed(Reason.DEADLINE), 0.1),
        (LookupFailed(Reason.UNREACHABLE), 0.1),
        (LookupFailed(Reason.VENDOR_ERROR), 0.1),
        (LookupFailed(Reason.BAD_RESPONSE), 2.0),
        (asyncio.CancelledError(), 2.0),
        (ValueError(), 2.0),
    ],
)
async def test_other_ends_say_nothing_about_how_many_can_be_asked(
    outcome: BaseException, takes_s: float
) -> None:
    assert await told(Bench(outcome=outcome, takes_s=takes_s)) == []


async def test_a_limit_decides_how_many_slots_there_are() -> None:
    bench = Bench()
    bench.limit.wants = 3
    await bench.bulkhead.send("abc", call())
    assert bench.slots.size == 3
