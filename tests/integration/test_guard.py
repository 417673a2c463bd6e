"""The whole guard of a connection, on real sockets, between us and a pretend vendor.

Time leaps where it has to pass; what takes real time is what is being measured.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.outcome import LookupFailed, NotAsked, Reason
from adapters.simulator.certificates import Authority
from adapters.simulator.faults import Fault, Hang, Refuse, Reset, Status, TooMany
from adapters.simulator.vendor import SimulatedVendor
from proxy.connection import VendorConnection
from proxy.guard.breaker import BreakerStatus, later_s
from proxy.guard.guard import Surroundings
from proxy.guard.witness import Nobody
from tests.integration.connecting import (
    ASKED,
    Bench,
    ask,
    authority,
    bench,
    call,
    data,
    eventually,
    folder,
    vendor,
)
from tests.servers.leaping import LeapingClock, leaping_clock
from tests.servers.patience import in_time, patiently

__all__ = ["authority", "bench", "data", "folder", "vendor"]  # fixtures

ONCE = {"retry": {"attempts": 1}}
LONGEST_OPEN_S = 30.0
Outcomes = Counter[str]


class Counted(Nobody):
    """A witness that counts what was told of exchanges, by how they ended."""

    def __init__(self) -> None:
        self.left: Outcomes = Counter()
        self.refused: Outcomes = Counter()

    def exchanged(self, failure: Reason | None, took_s: float | None) -> None:
        ended = self.refused if took_s is None else self.left
        ended[failure or "ok"] += 1


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
async def clock() -> AsyncIterator[LeapingClock]:
    with leaping_clock() as one:
        yield one


def guarded(
    bench: Bench, vendor: SimulatedVendor, counted: Counted, **more: Any
) -> VendorConnection:
    """A connection whose luck is even: no open time is shorter or longer by chance."""

    def around(breaker: str) -> Surroundings:
        witness = counted if breaker == "vendor" else Nobody()
        return Surroundings(witness=witness, luck=lambda: 0.5)

    return bench.to(vendor, around=around, **({"guard": ONCE} | more))


def breaker(connection: VendorConnection, name: str = "vendor") -> BreakerStatus:
    return connection.status().breakers[name]


async def outcome(connection: VendorConnection, budget_s: float = 30.0) -> str:
    """`ok`, or the reason of a failure."""
    try:
        await connection.exchange.send(ASKED, call(budget_s))
    except LookupFailed as failure:
        return failure.reason
    return "ok"


async def outcomes(connection: VendorConnection, count: int, budget_s: float = 30.0) -> Outcomes:
    """Of so many questions at once."""
    return Counter(await asyncio.gather(*(outcome(connection, budget_s) for _ in range(count))))


async def until_open(connection: VendorConnection) -> None:
    for _ in range(100):
        await outcome(connection)
        if breaker(connection).state == "open":
            return
    raise AssertionError("the breaker does not open")


DEAD: dict[str, Fault] = {
    "refuses": Refuse(),
    "resets": Reset(),
    "HTTP 500": Status(status=500),
    "HTTP 403": Status(status=403),
}


@pytest.mark.parametrize("fault", DEAD.values(), ids=DEAD)
async def test_a_dead_vendor_is_asked_by_probes_alone_and_comes_back(
    bench: Bench, vendor: SimulatedVendor, counted: Counted, clock: LeapingClock, fault: Fault
) -> None:
    connection = guarded(bench, vendor, counted)
    assert await outcome(connection) == "ok"
    await vendor.faults.set(fault)
    await until_open(connection)
    began, minutes = counted.left.total(), 5
    for _ in range(60 * minutes):
        clock.leap(1.0)
        ended = await outcomes(connection, 10)
        assert ended[Reason.BREAKER_OPEN] >= 7, "3 probes at once at most"
    probes = counted.left.total() - began
    assert 3 * minutes <= probes <= 3 * (6 + 2 * minutes + minutes), "after 1, 2, 4 … 25 s"
    await vendor.faults.clear()
    clock.leap(LONGEST_OPEN_S)
    assert await outcome(connection) == "ok", "one probe is enough"
    assert breaker(connection).state == "closed"
    assert await outcomes(connection, 50) == {"ok": 50}


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        (TooMany(retry_after="5", times=1), Reason.RATE_LIMITED),
        (Status(status=503, retry_after="5", times=1), Reason.BREAKER_OPEN),
    ],
)
async def test_nothing_leaves_for_the_time_that_a_vendor_asks_to_be_left_alone(
    bench: Bench,
    vendor: SimulatedVendor,
    counted: Counted,
    clock: LeapingClock,
    fault: Fault,
    heard: Reason,
) -> None:
    connection = guarded(bench, vendor, counted, guard={})
    assert await outcome(connection) == "ok"
    await vendor.faults.set(fault)
    assert await outcome(connection) != "ok", "and is not tried again"
    seen = vendor.traffic.counts["product"]
    for _ in range(49):
        clock.leap(0.1)
        assert await outcomes(connection, 5) == {heard: 5}
    with pytest.raises(NotAsked) as refused:
        await ask(connection)
    assert 0 < (refused.value.retry_after_s or 0) < later_s(5.0) + 0.2
    assert vendor.traffic.counts["product"] == seen
    clock.leap(later_s(5.0) + 0.2)
    assert await outcome(connection) == "ok"
    assert await outcomes(connection, 20) == {"ok": 20}


async def test_retries_stay_within_their_budget_whatever_the_breaker_says(
    bench: Bench, vendor: SimulatedVendor, counted: Counted, clock: LeapingClock
) -> None:
    retry = {"first_backoff": "1ms", "longest_backoff": "1ms"}
    connection = guarded(bench, vendor, counted, guard={"retry": retry})
    connection.force("vendor", "closed")
    await vendor.faults.set(Status(status=500))
    questions, began = 200, clock.loop_time()
    for _ in range(questions // 10):
        await outcomes(connection, 10)
    seconds = clock.loop_time() - began
    asked = vendor.traffic.counts["product"]
    assert questions * 1.15 <= asked <= questions * 1.2 + 1 + seconds


async def test_a_vendor_that_fails_now_and_then_is_answered_for_by_retries(
    bench: Bench, vendor: SimulatedVendor, counted: Counted
) -> None:
    connection = guarded(bench, vendor, counted, guard={})
    assert await outcomes(connection, 20) == {"ok": 20}
    await vendor.faults.set(Status(status=502, times=3))
    assert await outcomes(connection, 40) == {"ok": 40}
    assert counted.left == {"ok": 60, Reason.VENDOR_ERROR: 3}


@pytest.mark.parametrize(
    "fault", [Status(where="token", status=500), Status(where="token", status=401)]
)
async def test_a_failed_token_is_not_held_against_the_vendor(
    bench: Bench, vendor: SimulatedVendor, counted: Counted, clock: LeapingClock, fault: Fault
) -> None:
    connection = guarded(bench, vendor, counted)
    await vendor.faults.set(fault)
    for _ in range(20):
        assert await outcomes(connection, 10) == {Reason.AUTH: 10}
        clock.leap(1.0)
    assert not counted.left
    assert (breaker(connection).state, breaker(connection).calls) == ("closed", 0)
    token = breaker(connection, "token")
    assert token.opened_times > 0
    assert vendor.traffic.counts["token"] <= 3 + 20 / 2, "the issuer is spared too"
    await vendor.faults.clear()
    clock.leap(10.0)
    assert await outcomes(connection, 10) == {"ok": 10}
    assert breaker(connection, "token").state == "closed"


async def test_a_hung_token_endpoint_is_not_held_against_the_vendor_by_whom_it_cuts_off(
    bench: Bench, vendor: SimulatedVendor, counted: Counted
) -> None:
    fair_chance = {"breaker": {"fair_chance": "10ms"}, **ONCE}
    connection = guarded(bench, vendor, counted, guard=fair_chance)
    await vendor.faults.set(Hang(where="token"))
    for _ in range(3):
        assert await outcomes(connection, 10, 0.1) == {Reason.AUTH: 10}
    assert breaker(connection).calls == 0
    await vendor.faults.clear()


async def test_a_failing_vendor_is_not_held_against_the_token_endpoint(
    bench: Bench, vendor: SimulatedVendor, counted: Counted
) -> None:
    connection = guarded(bench, vendor, counted)
    await vendor.faults.set(Status(status=500))
    await until_open(connection)
    token = breaker(connection, "token")
    assert (token.state, token.calls, token.failure_rate) == ("closed", 1, 0.0)


async def test_tokens_that_were_revoked_and_replaced_are_no_failure_of_the_vendor(
    bench: Bench, vendor: SimulatedVendor, counted: Counted
) -> None:
    connection = guarded(bench, vendor, counted)
    assert await outcome(connection) == "ok"
    assert vendor.tokens is not None
    vendor.tokens.revoke_all()
    assert await outcomes(connection, 100) == {"ok": 100}
    assert breaker(connection).failure_rate == 0.0


async def test_an_issuer_that_asks_to_be_left_alone_is(
    bench: Bench, vendor: SimulatedVendor, counted: Counted, clock: LeapingClock
) -> None:
    connection = guarded(bench, vendor, counted)
    await vendor.faults.set(Status(where="token", status=429, retry_after="8", times=1))
    assert await outcome(connection) == Reason.AUTH
    for _ in range(79):
        clock.leap(0.1)
        assert await outcome(connection) == Reason.AUTH
    assert vendor.traffic.counts["token"] == 1
    clock.leap(6.0)
    assert await outcome(connection) == "ok"


async def test_forced_open_nothing_leaves_and_forced_closed_everything(
    bench: Bench, vendor: SimulatedVendor, counted: Counted
) -> None:
    connection = guarded(bench, vendor, counted)
    assert connection.force("vendor", "open").state == "forced_open"
    assert await outcomes(connection, 20) == {Reason.BREAKER_OPEN: 20}
    assert not vendor.traffic.counts["product"]
    assert connection.force("vendor", "closed").state == "forced_closed"
    await vendor.faults.set(Status(status=500))
    assert await outcomes(connection, 20) == {Reason.VENDOR_ERROR: 20}
    await vendor.faults.clear()
    assert connection.force("vendor", None).state == "closed"
    with pytest.raises(KeyError):
        connection.force("database", "open")


async def test_a_token_endpoint_that_is_forced_open_is_not_asked_and_is_a_matter_of_auth(
    bench: Bench, vendor: SimulatedVendor, counted: Counted
) -> None:
    connection = guarded(bench, vendor, counted)
    connection.force("token", "open")
    assert await outcomes(connection, 5) == {Reason.AUTH: 5}
    assert not vendor.traffic.requests
    assert "operator" in connection.status().problem


@patiently
async def test_every_question_to_a_hung_vendor_ends_in_time_and_then_at_once(
    bench: Bench, vendor: SimulatedVendor, counted: Counted
) -> None:
    await vendor.faults.clear()
    connection = guarded(bench, vendor, counted, guard={"breaker": {"fair_chance": "50ms"}})
    assert await outcomes(connection, 32) == {"ok": 32}, "each slot has its connection"
    await vendor.faults.set(Hang())
    loop = asyncio.get_running_loop()
    ended: Outcomes = Counter()
    while breaker(connection).state != "open":
        began = loop.time()
        ended += await outcomes(connection, 40, 0.2)
        in_time(loop.time() - began, 0.2 + 0.1)
    assert set(ended) <= {Reason.DEADLINE, Reason.BREAKER_OPEN}
    seen, began = vendor.traffic.counts["product"], loop.time()
    assert await outcomes(connection, 100) == {Reason.BREAKER_OPEN: 100}
    in_time(loop.time() - began, 0.1)
    assert vendor.traffic.counts["product"] == seen


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[str, list[asyncio.StreamWriter]]]:
    """Accepts connections, reads, and never says a word: no TLS handshake ends."""
    connected: list[asyncio.StreamWriter] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", connected
    finally:
        server.close()
        for writer in connected:
            writer.transport.abort()
        await server.wait_closed()


async def test_a_storm_of_handshakes_ends_with_the_breaker(bench: Bench) -> None:
    async with silent_server() as (url, connected):
        connection = bench.connect(url, wire={"connect_timeout": "100ms"}, guard=ONCE)
        ended: Outcomes = Counter()
        while breaker(connection).state != "open":  # a late event loop is not held against it
            ended += await outcomes(connection, 200, 5.0)
        assert set(ended) <= {Reason.UNREACHABLE, Reason.BREAKER_OPEN}
        storm = len(connected)
        assert await outcomes(connection, 200) == {Reason.BREAKER_OPEN: 200}
        assert len(connected) == storm


async def test_new_credentials_are_tried_at_once_though_the_breaker_is_open(
    bench: Bench,
    vendor: SimulatedVendor,
    counted: Counted,
    folder: Path,
    authority: Authority,
) -> None:
    """A vendor that refused the old ones would else be left alone when the cure is there."""
    long = {"breaker": {"open_time": "1h", "longest_open_time": "2h"}, **ONCE}
    connection = guarded(bench, vendor, counted, guard=long)
    assert await outcome(connection) == "ok"
    await vendor.faults.set(Status(status=403))
    await until_open(connection)
    await vendor.faults.clear()
    assert await outcome(connection) == Reason.BREAKER_OPEN
    authority.issue_client("sidecar").write(folder, "client")
    await eventually(lambda: connection.status().credentials_version == 2)
    assert breaker(connection).state == "half_open"
    assert await outcome(connection) == "ok"


async def test_a_slowing_vendor_is_asked_less_at_once(
    bench: Bench, vendor: SimulatedVendor, counted: Counted
) -> None:
    """It serves four at a time, so who asks more of it only waits longer."""
    connection = guarded(bench, vendor, counted, wire={"concurrency": 32, "queue_length": 1000})
    assert connection.status().concurrency_limit == 32
    four = asyncio.Semaphore(4)

    class Queueing(Fault):
        name = "queueing"

        async def around(self, visit: Any, answer: Any) -> Any:
            async with four:
                await asyncio.sleep(0.005)
            return await answer(visit.question)

    await vendor.faults.set(Queueing())
    for _ in range(20):
        assert await outcome(connection) == "ok"
    assert await outcomes(connection, 400) == {"ok": 400}
    assert 4 <= connection.status().concurrency_limit < 24
