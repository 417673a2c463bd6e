"""What becomes of exchanges, sockets and tokens when credentials are replaced, or grow old."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import LookupFailed, Reason
from adapters.simulator.certificates import Authority
from adapters.simulator.faults import Hang, Latency, Status, TooMany
from adapters.simulator.vendor import SimulatedVendor
from proxy.connection import VendorConnection
from proxy.generation import shortened
from proxy.line import TAKE_UP_SPREAD_S
from tests.chaos.relay import Relay
from tests.chaos.ways import HalfOpen
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


@pytest.fixture
async def clock() -> AsyncIterator[LeapingClock]:
    with leaping_clock() as one:
        yield one


def renew(folder: Path, authority: Authority) -> int:
    """Puts another client certificate in place; its serial."""
    issued = authority.issue_client("sidecar")
    issued.write(folder, "client")
    return issued.serial


def serial_of_latest(vendor: SimulatedVendor) -> int:
    certificate = vendor.traffic.requests[-1].certificate
    assert certificate is not None
    return certificate.serial


async def version(connection: VendorConnection, number: int) -> None:
    await eventually(lambda: connection.status().credentials_version == number)


async def test_what_began_under_the_old_credentials_ends_and_then_their_sockets_close(
    bench: Bench,
    vendor: SimulatedVendor,
    folder: Path,
    authority: Authority,
    clock: LeapingClock,
) -> None:
    connection = bench.to(vendor, wire={"exchange_timeout": "1h", "drain": "1h"})
    await ask(connection)
    old = serial_of_latest(vendor)
    await vendor.faults.set(Latency(delay_s=60, times=1))
    slow = asyncio.get_running_loop().create_task(connection.exchange.send(ASKED, call(3600)))
    await eventually(lambda: vendor.traffic.in_flight > 0)
    new = renew(folder, authority)
    await version(connection, 2)
    await ask(connection)
    assert (serial_of_latest(vendor), connection.status().closing) == (new, 1)
    clock.leap(60)
    assert (await slow).status == 200
    await eventually(lambda: connection.status().closing == 0)
    assert [one.certificate.serial for one in vendor.traffic.requests if one.certificate] == [
        *[old] * 3,  # a token and two questions
        *[new] * 2,
    ]


async def test_what_outlasts_the_bound_is_cut_off_and_asked_again_under_the_new_credentials(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    connection = bench.to(vendor, wire={"drain": "50ms"})
    await ask(connection)
    await vendor.faults.set(Hang(times=1))
    begun = asyncio.get_running_loop().create_task(ask(connection))
    await eventually(lambda: vendor.traffic.in_flight > 0)
    serial = renew(folder, authority)
    assert (await begun).status == 200
    assert serial_of_latest(vendor) == serial
    await eventually(lambda: connection.status().closing == 0)


async def test_a_file_that_is_gone_for_a_while_changes_nothing_and_is_told(
    bench: Bench, vendor: SimulatedVendor, folder: Path
) -> None:
    connection = bench.to(vendor)
    await ask(connection)
    (folder / "secret").rename(folder / "elsewhere")
    await eventually(lambda: bool(connection.status().file_problems))
    assert (await ask(connection)).status == 200
    assert "secret cannot be read" in connection.status().problem
    (folder / "elsewhere").rename(folder / "secret")
    await eventually(lambda: not connection.status().file_problems)
    assert connection.status().credentials_version == 1, "the same files are no news"


async def test_while_the_issuer_is_down_the_old_token_goes_along_to_new_credentials(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    connection = bench.to(vendor)
    await ask(connection)
    await vendor.faults.set(Status(where="token", status=500))
    serial = renew(folder, authority)
    await version(connection, 2)
    assert (await ask(connection)).status == 200
    assert serial_of_latest(vendor) == serial
    status = connection.status()
    assert (status.token_version, status.problem) == (1, "the token endpoint: HTTP 500")


async def test_a_token_goes_along_no_longer_than_it_lives(
    bench: Bench,
    vendor: SimulatedVendor,
    folder: Path,
    authority: Authority,
    clock: LeapingClock,
) -> None:
    connection = bench.to(vendor)
    await ask(connection)
    await vendor.faults.set(Status(where="token", status=500))
    renew(folder, authority)
    await version(connection, 2)
    clock.leap(300)
    assert (await failure_of(connection)).reason is Reason.AUTH
    assert vendor.traffic.replies[401] == 0


async def test_without_tokens_new_credentials_take_over_too(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    vendor.tokens = None
    connection = bench.connect(vendor.base_url)
    await ask(connection)
    serial = renew(folder, authority)
    await version(connection, 2)
    await ask(connection)
    assert serial_of_latest(vendor) == serial


async def test_who_waits_for_a_token_of_replaced_credentials_gets_one_of_the_new(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    await vendor.faults.set(Hang(where="token", times=1))
    connection = bench.to(vendor)
    begun = asyncio.get_running_loop().create_task(ask(connection))
    await eventually(lambda: vendor.traffic.in_flight > 0)
    serial = renew(folder, authority)
    assert (await begun).status == 200
    assert serial_of_latest(vendor) == serial
    seen = [one.certificate.serial for one in vendor.traffic.requests if one.certificate]
    assert seen[1:] == [serial] * 2  # after the token of the old credentials, that never came


async def test_connections_are_not_used_beyond_their_age_and_the_token_stays(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock
) -> None:
    connection = bench.to(vendor, wire={"connection_age": "20s"})
    await ask(connection)
    generation = connection._line.generation
    assert generation is not None
    young = generation._sockets
    clock.leap(15)
    await ask(connection)
    assert generation._sockets is young
    clock.leap(5)
    await ask(connection)
    assert generation._sockets is not young
    await eventually(lambda: young._session.closed and generation._open == {generation._sockets})
    assert (vendor.traffic.counts["token"], connection.status().token_version) == (1, 1)


async def test_a_vendor_whose_connections_were_forgotten_is_answered_by_the_first_probe(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock
) -> None:
    async with Relay(("127.0.0.1", 0), to=("127.0.0.1", vendor.port)) as relay:
        connection = bench.connect(
            f"https://localhost:{relay.port}/",
            vendor.token_url,
            wire={"exchange_timeout": "1s"},
            guard={"retry": {"attempts": 1}},
        )
        await vendor.faults.set(Latency(delay_s=0.02))  # so that each needs a connection
        await asyncio.gather(*(ask(connection) for _ in range(20)))
        await vendor.faults.clear()
        clock.leap(15)  # and the breaker no longer knows of them
        async with relay.behaving(HalfOpen()):
            await asyncio.gather(*(failure_of(connection) for _ in range(10)))
            await eventually(lambda: connection.breakers["vendor"].state_now() == "open")
            clock.leap(2)
            await ask(connection)
            assert connection.breakers["vendor"].state_now() == "closed"


async def test_a_vendor_that_limits_its_callers_is_spared_new_handshakes(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock
) -> None:
    async with Relay(("127.0.0.1", 0), to=("127.0.0.1", vendor.port)) as relay:
        connection = bench.connect(f"https://localhost:{relay.port}/", vendor.token_url)
        await ask(connection)
        made = relay.accepted
        await vendor.faults.set(TooMany())
        assert (await failure_of(connection)).reason is Reason.RATE_LIMITED
        await vendor.faults.clear()
        clock.leap(5)
        await ask(connection)
        assert relay.accepted == made


async def test_closing_ends_what_replaced_credentials_still_finish(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    connection = bench.to(vendor)
    await ask(connection)
    await vendor.faults.set(Hang())
    begun = asyncio.get_running_loop().create_task(failure_of(connection))
    await eventually(lambda: vendor.traffic.in_flight > 0)
    renew(folder, authority)
    await version(connection, 2)
    await connection.aclose()
    assert (await begun).reason in {Reason.CONFIGURATION, Reason.UNREACHABLE}
    assert connection.status().closing == 0


async def test_closing_while_new_credentials_wait_for_their_token_leaves_nothing_open(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    connection = bench.to(vendor)
    await ask(connection)
    await vendor.faults.set(Hang(where="token"))
    renew(folder, authority)
    await eventually(lambda: vendor.traffic.counts["token"] == 2)
    assert connection.status().credentials_version == 1
    await connection.aclose()  # a session left open would warn, and a warning fails the test


@dataclass
class LateOnce:
    """Puts off what is decided next for very long, and nothing after it."""

    value: float = 0.5

    def __call__(self) -> float:
        value, self.value = self.value, 0.5
        return value


async def waits_for_its_turn(connection: VendorConnection, chance: LateOnce) -> None:
    """New files were seen, and their turn is a long way off."""
    await eventually(lambda: connection.source.current is not connection.credentials)
    await eventually(lambda: chance.value == 0.5)
    for _ in range(5):
        await ask(connection)
    assert connection.status().credentials_version == 1


async def test_a_fleet_whose_files_change_at_once_takes_them_up_one_after_the_other(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority, clock: LeapingClock
) -> None:
    chance = LateOnce()
    connection = bench.to(vendor, luck=chance)
    await ask(connection)
    chance.value = 1000.0
    renew(folder, authority)
    await waits_for_its_turn(connection, chance)
    clock.leap(1000.0 * TAKE_UP_SPREAD_S)
    await version(connection, 2)


async def test_who_is_refused_under_the_old_credentials_takes_up_the_new_at_once(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority
) -> None:
    chance = LateOnce()
    connection = bench.to(vendor, luck=chance, guard={"retry": {"attempts": 1}})
    await ask(connection)
    chance.value = 1000.0
    renew(folder, authority)
    await waits_for_its_turn(connection, chance)
    await vendor.faults.set(Status(status=403, times=1))
    assert (await failure_of(connection)).reason is Reason.AUTH
    await version(connection, 2)
    assert (await ask(connection)).status == 200


async def test_what_ends_the_watching_does_not_end_it_for_good(
    bench: Bench, vendor: SimulatedVendor, folder: Path, authority: Authority, clock: LeapingClock
) -> None:
    connection = bench.to(vendor)
    await ask(connection)
    running = connection._line._running
    assert running is not None
    lost: list[BaseException] = []
    bench.tasks._on_error = lost.append
    connection._line._take_up = None  # type: ignore[assignment]  # breaks what is called next
    renew(folder, authority)
    await asyncio.wait({running})
    del connection._line._take_up
    renew(folder, authority)
    clock.leap(1)
    await eventually(lambda: connection.credentials is connection.source.current)
    assert (await ask(connection)).status == 200
    assert len(lost) == 1


async def test_a_connection_that_was_told_to_start_has_read_its_files_before_anybody_asks(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor)
    connection.start()
    connection.start()
    await version(connection, 1)
    assert not vendor.traffic.requests
    assert connection.credentials is connection.source.current


async def test_who_has_no_time_for_the_first_reading_hears_of_it(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor)
    failure = await failure_of(connection, 0.0001)
    assert failure.reason is Reason.DEADLINE
    assert isinstance(failure, LookupFailed)


@given(st.floats(1, 1e6), st.floats(0, 1))
def test_an_age_is_shortened_by_a_fifth_at_most(age_s: float, luck: float) -> None:
    assert 0.8 * age_s - 1e-6 <= shortened(age_s, luck) <= age_s
