import asyncio
from collections.abc import Awaitable, Callable

import pytest

from adapters.call import Call
from adapters.lookup import wall_clock
from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.exchange.permit import Permit
from proxy.guard.lag import LoopLag
from tests.servers.leaping import LeapingClock, leaping_clock
from tests.unit.guard.breaking import Bench

CALL = Call(deadline=1e9, asked_at=wall_clock())


class Vendor:
    """Takes some time of the bench's clock, and then does what it is told."""

    def __init__(self, bench: Bench, took_s: float, then: Callable[[], object]) -> None:
        self._bench = bench
        self._took_s = took_s
        self._then = then
        self.asked = 0

    async def send(self, request: str, call: Call) -> object:
        self.asked += 1
        self._bench.wait(self._took_s)
        result = self._then()
        return await result if isinstance(result, Awaitable) else result


def permit(
    bench: Bench, then: Callable[[], object], *, took_s: float = 0.01
) -> Permit[str, object]:
    return Permit(
        Vendor(bench, took_s, then), breaker=bench.breaker, lag=LoopLag(), clock=bench.clock
    )


def raising(error: BaseException) -> Callable[[], object]:
    def then() -> object:
        raise error

    return then


def tally(bench: Bench) -> tuple[int, float, float]:
    status = bench.breaker.status()
    return status.calls, status.failure_rate, status.slow_call_rate


async def test_a_valid_answer_is_a_success() -> None:
    bench = Bench()
    assert await permit(bench, lambda: "reply").send("request", CALL) == "reply"
    assert tally(bench) == (1, 0.0, 0.0)


async def test_a_slow_answer_is_seen_as_slow() -> None:
    bench = Bench(slow_call="800ms")
    await permit(bench, lambda: "reply", took_s=0.9).send("request", CALL)
    assert tally(bench) == (1, 0.0, 1.0)


async def test_a_failure_is_counted_and_goes_on_to_the_caller() -> None:
    bench = Bench()
    failure = LookupFailed(Reason.VENDOR_ERROR, "500")
    with pytest.raises(LookupFailed) as heard:
        await permit(bench, raising(failure)).send("request", CALL)
    assert heard.value is failure
    assert tally(bench) == (1, 1.0, 0.0)


async def test_a_retry_after_opens_the_breaker() -> None:
    bench = Bench()
    failure = LookupFailed(Reason.RATE_LIMITED, retry_after_s=5.0)
    with pytest.raises(LookupFailed):
        await permit(bench, raising(failure)).send("request", CALL)
    assert bench.breaker.state_now() == "open"


async def test_a_deadline_counts_by_the_time_it_had() -> None:
    bench = Bench(fair_chance="250ms")
    for took_s in (0.1, 0.3):
        with pytest.raises(LookupFailed):
            await permit(bench, raising(LookupFailed(Reason.DEADLINE)), took_s=took_s).send(
                "request", CALL
            )
    assert tally(bench) == (1, 1.0, 0.0)


class Punctual(LoopLag):
    """A leap of the clock is no stall."""

    def late_s(self) -> float:
        return 0.0


class AsideFirst:
    """Waits for something else, such as a token, before it asks; then the budget ends."""

    def __init__(self, clock: LeapingClock) -> None:
        self._clock = clock

    async def send(self, request: str, call: Call) -> object:
        with call.aside():
            self._clock.leap(10.0)
        raise LookupFailed(Reason.DEADLINE)


async def test_what_is_waited_for_before_the_vendor_is_asked_is_no_chance_that_it_had() -> None:
    bench = Bench(fair_chance="250ms")
    told: list[float] = []
    with leaping_clock() as clock:
        layer: Permit[str, object] = Permit(
            AsideFirst(clock),
            breaker=bench.breaker,
            lag=Punctual(),
            on_exchange=lambda _failure, took_s: told.append(took_s),
            clock=clock.loop_time,
        )
        with pytest.raises(LookupFailed):
            await layer.send("request", CALL)
    assert tally(bench) == (0, 0.0, 0.0)
    assert max(told) < 0.25


async def test_an_open_breaker_is_not_asked_past() -> None:
    bench = Bench().opened()
    layer = permit(bench, lambda: "reply")
    with pytest.raises(NotAsked):
        await layer.send("request", CALL)
    assert isinstance(layer.inner, Vendor)
    assert layer.inner.asked == 0


SAYING_NOTHING = [NotAsked(Reason.AUTH), LookupFailed(Reason.CONFIGURATION), ZeroDivisionError()]


@pytest.mark.parametrize("error", SAYING_NOTHING, ids=repr)
async def test_a_probe_that_says_nothing_gives_its_permit_back(error: Exception) -> None:
    bench = Bench(half_open_permits=1).half_opened()
    before = tally(bench)
    for _ in range(3):
        with pytest.raises(type(error)):
            await permit(bench, raising(error)).send("request", CALL)
    assert bench.breaker.state_now() == "half_open"
    assert tally(bench) == before
    assert bench.refusal() is None


async def test_a_cancelled_probe_gives_its_permit_back_and_decides_nothing() -> None:
    bench = Bench(half_open_permits=1).half_opened()
    before = tally(bench)
    for _ in range(3):
        asked = asyncio.Event()

        async def hang(asked: asyncio.Event = asked) -> None:
            asked.set()
            await asyncio.Event().wait()

        async with asyncio.TaskGroup() as tasks:
            probe = tasks.create_task(permit(bench, hang).send("request", CALL))
            await asked.wait()
            assert bench.refusal() is not None
            probe.cancel()
        assert probe.cancelled()
    assert bench.breaker.state_now() == "half_open"
    assert tally(bench) == before
    assert bench.refusal() is None


async def test_a_late_event_loop_is_not_the_vendors_slowness() -> None:
    bench, lag = Bench(slow_call="800ms"), LoopLag()
    with leaping_clock() as clock:
        began_at = clock.loop_time()
        bench.clock.now = began_at

        async def stalled() -> str:
            clock.leap(1.0)
            await asyncio.sleep(0)
            bench.clock.now = clock.loop_time()
            return "reply"

        layer: Permit[str, object] = Permit(
            Vendor(bench, 0.0, stalled), breaker=bench.breaker, lag=lag, clock=bench.clock
        )
        await layer.send("request", CALL)
    assert bench.clock.now - began_at >= 1.0
    assert tally(bench) == (1, 0.0, 0.0)


async def test_a_timeout_of_a_late_event_loop_is_not_the_vendors_failure() -> None:
    bench = Bench()
    with leaping_clock() as clock:

        async def stalled() -> str:
            clock.leap(0.5)
            await asyncio.sleep(0)
            raise LookupFailed(Reason.UNREACHABLE, "no answer in time")

        with pytest.raises(LookupFailed):
            await permit(bench, stalled, took_s=0.5).send("request", CALL)
    assert tally(bench) == (0, 0.0, 0.0)


async def test_nobody_watches_the_loop_when_nothing_is_under_way() -> None:
    bench, lag = Bench(), LoopLag()
    with leaping_clock() as clock:
        layer: Permit[str, object] = Permit(
            Vendor(bench, 0.0, raising(LookupFailed(Reason.TLS))), breaker=bench.breaker, lag=lag
        )
        with pytest.raises(LookupFailed):
            await layer.send("request", CALL)
        clock.leap(1.0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not lag.is_beating
