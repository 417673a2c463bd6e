"""Connections that are opened before they are needed, over real mutual TLS."""

import asyncio
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from adapters.exchange import Api
from adapters.lookup import wall_clock
from adapters.outcome import Reason
from adapters.simulator.certificates import Authority
from adapters.simulator.faults import Status
from adapters.simulator.vendor import SimulatedVendor
from proxy.connection import VendorConnection
from proxy.exchange.session import KEEP_ALIVE_S
from proxy.exchange.warmth import SPREAD_S
from proxy.line import END_S, WARMTH_S
from tests.integration.connecting import (
    ASKED,
    Bench,
    ask,
    authority,
    bench,
    call,
    data,
    eventually,
    failure_of,
    folder,
    vendor,
)
from tests.servers.leaping import LeapingClock, leaping_clock

__all__ = ["authority", "bench", "data", "folder", "vendor"]  # fixtures

SLACK_S = 0.1


@pytest.fixture
async def clock() -> AsyncIterator[LeapingClock]:
    with leaping_clock() as one:
        yield one


def open_at(vendor: SimulatedVendor) -> int:
    """Connections as the vendor sees them."""
    assert vendor._server is not None
    return len(vendor._server.connections)


async def warm(connection: VendorConnection, number: int) -> None:
    await eventually(lambda: connection.status().open_connections == number)


async def later(clock: LeapingClock, seconds: float) -> None:
    """In steps in which all that rests looks up."""
    for _ in range(int(seconds / WARMTH_S) + 1):
        clock.leap(WARMTH_S + SLACK_S)
        for _ in range(20):
            await asyncio.sleep(0)


async def ask_many(connection: VendorConnection, number: int) -> None:
    await asyncio.gather(*(connection.exchange.send(ASKED, call()) for _ in range(number)))


async def test_they_are_there_before_anybody_asks_and_nobody_was_asked(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.connect(vendor.base_url)
    connection.start()
    await warm(connection, 4)
    await eventually(lambda: open_at(vendor) == 4)
    assert vendor.traffic.counts.total() == 0
    assert connection.status().last_outcome is None
    assert connection.breakers["vendor"].status().calls == 0


async def test_as_many_as_are_warm_are_asked_at_once_without_a_handshake(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor, wire={"warm_connections": 24})
    await ask(connection)  # the token is there, too
    await warm(connection, 24)
    before = open_at(vendor)
    await ask_many(connection, 22)
    assert open_at(vendor) == before
    assert connection.status().open_connections == 24


async def test_there_are_none_where_none_are_wanted(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock
) -> None:
    connection = bench.to(vendor, wire={"warm_connections": 0})
    connection.start()
    await eventually(lambda: connection.status().credentials == "good")
    await later(clock, 10)
    assert (connection.status().open_connections, open_at(vendor)) == (0, 0)


async def test_never_more_than_may_be_in_use(bench: Bench, vendor: SimulatedVendor) -> None:
    connection = bench.to(vendor, wire={"concurrency": 2})
    connection.start()
    await warm(connection, 2)


async def test_they_stay_however_long_they_idle_and_the_others_do_not(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock
) -> None:
    connection = bench.to(vendor)
    connection.start()
    await warm(connection, 4)
    await ask_many(connection, 12)
    assert connection.status().open_connections > 4
    await later(clock, 3 * KEEP_ALIVE_S)
    await warm(connection, 4)
    before = open_at(vendor)
    await later(clock, 3 * KEEP_ALIVE_S)
    assert open_at(vendor) == before == 4


@pytest.mark.parametrize(("number", "tokens"), [(4, 3), (0, 1)])
async def test_who_keeps_connections_keeps_a_token_and_others_let_it_go(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock, number: int, tokens: int
) -> None:
    assert vendor.tokens is not None
    connection = bench.to(vendor, wire={"warm_connections": number}, luck=lambda: 0.0)
    await ask(connection)
    asked = vendor.traffic.counts
    for had in (1, 2):
        clock.leap(vendor.tokens.lifetime_s * 0.8)
        await eventually(lambda: asked["token"] > had or number == 0)  # noqa: B023  (awaited here)
    assert (asked["token"], asked["product"]) == (tokens, 1)


async def test_those_that_the_vendor_closed_are_opened_again(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock
) -> None:
    connection = bench.to(vendor)
    connection.start()
    await warm(connection, 4)
    vendor.drop_connections()
    await warm(connection, 0)
    await later(clock, SPREAD_S + WARMTH_S)
    await warm(connection, 4)
    assert (await ask(connection)).status == 200


async def test_a_rotation_moves_no_question_to_cold_connections(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    connection = bench.to(vendor, wire={"warm_connections": 16})
    await ask(connection)
    await warm(connection, 16)
    authority.issue_client("sidecar").write(folder, "client")
    await eventually(lambda: connection.status().credentials_version == 2)
    line = connection._line
    assert line.generation is not None
    at_once = line.generation.open_connections
    assert at_once >= 16, "they were there when the new credentials took over"
    await ask_many(connection, 14)
    assert line.generation.open_connections == at_once


async def test_connections_that_grow_old_are_replaced_warm(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock
) -> None:
    connection = bench.connect(vendor.base_url, wire={"connection_age": "100s"})
    connection.start()
    await warm(connection, 4)
    generation = connection._line.generation
    assert generation is not None
    old = generation._sockets
    clock.leap(old.renew_at - clock.loop_time() + WARMTH_S + SLACK_S)
    await eventually(lambda: generation._sockets is not old)
    assert clock.loop_time() < old.too_old_at
    assert generation._sockets.transport.open_connections == 4
    await eventually(lambda: generation._open == {generation._sockets})


async def test_a_vendor_whose_breaker_is_open_is_left_alone(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock
) -> None:
    connection = bench.to(vendor, guard={"breaker": {"minimum_calls": 2}, "retry": {"attempts": 1}})
    connection.start()
    await warm(connection, 4)
    await vendor.faults.set(Status(status=503, retry_after="200"))
    await failure_of(connection)
    await eventually(lambda: connection.breakers["vendor"].status().state == "open")
    await vendor.faults.clear()
    vendor.drop_connections()
    await eventually(lambda: open_at(vendor) == 0)
    await later(clock, 60)
    assert (open_at(vendor), connection.status().open_connections) == (0, 0)
    clock.leap(300)
    assert (await ask(connection)).status == 200
    await later(clock, SPREAD_S + WARMTH_S)
    await warm(connection, 4)


async def test_a_vendor_that_is_not_there_is_named_and_not_counted(
    bench: Bench, clock: LeapingClock
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        base_url = f"https://127.0.0.1:{nobody.getsockname()[1]}/"
        connection = bench.connect(base_url)
        connection.start()
        await eventually(lambda: "no connection" in connection.status().problem)
        status = connection.status()
    assert (status.open_connections, status.last_outcome) == (0, None)
    assert status.breakers["vendor"].calls == 0
    failure = await failure_of(connection)
    assert failure.reason is Reason.UNREACHABLE


async def test_a_server_that_is_not_trusted_is_named(
    bench: Bench, vendor: SimulatedVendor, folder: Path
) -> None:
    Authority.create(now=wall_clock()).write(folder)
    connection = bench.connect(vendor.base_url)
    connection.start()
    await eventually(lambda: "certificate is refused" in connection.status().problem)
    assert connection.breakers["vendor"].status().calls == 0


async def test_work_that_does_not_mind_its_cancellation_keeps_no_close_waiting_for_long(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock
) -> None:
    may_end = asyncio.Event()

    async def stubborn(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        while not may_end.is_set():
            with suppress(asyncio.CancelledError):
                await may_end.wait()
        task.cancel()
        await asyncio.wait({task})

    connection = VendorConnection(
        "acme",
        bench.setting(vendor.base_url, None),
        dict.fromkeys(Api, vendor.base_url),
        spawn=lambda work: bench.tasks.spawn(stubborn(work)),
    )
    connection.start()
    await warm(connection, 4)
    closing = asyncio.get_running_loop().create_task(connection.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    clock.leap(END_S + SLACK_S)
    await asyncio.wait({closing})
    assert connection.status().open_connections == 0
    may_end.set()
