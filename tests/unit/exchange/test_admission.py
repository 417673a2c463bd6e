import pytest

from adapters.call import Call
from adapters.lookup import wall_clock
from adapters.outcome import NotAsked, Reason
from proxy.exchange.admission import Admission
from tests.unit.guard.breaking import Bench


class Echo:
    def __init__(self) -> None:
        self.asked: list[str] = []

    async def send(self, request: str, call: Call) -> str:
        self.asked.append(request)
        return request


CALL = Call(deadline=1e9, asked_at=wall_clock())


async def test_what_a_closed_breaker_lets_in_goes_on_as_it_came() -> None:
    echo = Echo()
    assert await Admission(echo, breaker=Bench().breaker).send("request", CALL) == "request"


async def test_nothing_passes_an_open_breaker() -> None:
    echo, bench = Echo(), Bench().opened()
    with pytest.raises(NotAsked) as refused:
        await Admission(echo, breaker=bench.breaker).send("request", CALL)
    assert refused.value.reason is Reason.BREAKER_OPEN
    assert refused.value.retry_after_s == pytest.approx(bench.breaker.status().opens_for_s)
    assert echo.asked == []


async def test_it_counts_nothing_and_takes_no_probe() -> None:
    bench = Bench(half_open_permits=1).half_opened()
    before = bench.breaker.status()
    for _ in range(3):
        await Admission(Echo(), breaker=bench.breaker).send("request", CALL)
    assert bench.breaker.status() == before
    bench.breaker.permit()
