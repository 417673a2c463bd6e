"""The issuer of tokens is slow, down, or talks nonsense; and many want a token at one moment."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field

from adapters.call import Call
from adapters.outcome import Reason
from adapters.simulator.faults import (
    Answer,
    Fault,
    Garbage,
    GzipBomb,
    Hang,
    Latency,
    Redirect,
    Reset,
    SlowDrip,
    Status,
    Visit,
)
from adapters.simulator.reply import Reply, as_json
from adapters.simulator.tls import VendorTls
from adapters.simulator.vendor import SimulatedVendor
from adapters.simulator.vendor_data import VendorData
from proxy.connection import VendorConnection
from tests.integration.connecting import (
    ASKED,
    CLIENT,
    Bench,
    ask,
    authority,
    bench,
    data,
    failure_of,
    folder,
)
from tests.servers.leaping import LeapingClock, leaping_clock

__all__ = ["authority", "bench", "data", "folder"]  # fixtures

LIFE_S = 300.0
CALLERS = 1_000
REST_S = 10.0
"""More than an issuer is left alone after a failure."""


class Says(Fault):
    """The issuer gives a token, and says these things of it instead of the true ones."""

    name: ClassVar[str] = "says"
    where: Any = "token"
    instead: Mapping[str, Any] = Field(default={})
    without: str = ""

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        said = json.loads((await answer(visit.question)).body)
        said = {name: value for name, value in said.items() if name != self.without}
        return as_json(200, json.dumps({**said, **self.instead}).encode())


USELESS: dict[str, Fault] = {
    "hangs": Hang(where="token"),
    "drips": SlowDrip(where="token", piece_bytes=1, pause_s=1),
    "resets": Reset(where="token"),
    "HTTP 500": Status(where="token", status=500),
    "HTTP 503": Status(where="token", status=503, retry_after="1"),
    "HTTP 401": Status(where="token", status=401),
    "HTML": Garbage(where="token", kind="html"),
    "an 80 MB body": GzipBomb(where="token", size_bytes=80 * 1024 * 1024),
    "a redirect": Redirect(where="token"),
    "a redirect of the POST": Redirect(where="token", status=307),
    "no expires_in": Says(without="expires_in"),
    "expires_in 0": Says(instead={"expires_in": 0}),
    "expires_in below 0": Says(instead={"expires_in": -300}),
    "expires_in abc": Says(instead={"expires_in": "abc"}),
    "expires_in null": Says(instead={"expires_in": None}),
    "expires_in true": Says(instead={"expires_in": True}),
    "expires_in huge": Says(instead={"expires_in": 10**30}),
    "no access_token": Says(without="access_token"),
    "access_token null": Says(instead={"access_token": None}),
    "access_token with a line end": Says(instead={"access_token": "canary\r\nX-Evil: 1"}),
    "token_type null": Says(instead={"token_type": None}),
    "token_type MAC": Says(instead={"token_type": "MAC"}),
    "no token_type": Says(without="token_type"),
}
USABLE: dict[str, Fault] = {
    "slow": Latency(where="token", delay_s=0.05),
    "expires_in 1": Says(instead={"expires_in": 1}),
    "expires_in as a string": Says(instead={"expires_in": "300"}),
    "token_type in lower case": Says(instead={"token_type": "bearer"}),
}


@pytest.fixture
async def clock() -> AsyncIterator[LeapingClock]:
    with leaping_clock() as one:
        yield one


@pytest.fixture
async def vendor(
    folder: Path, data: VendorData, clock: LeapingClock
) -> AsyncIterator[SimulatedVendor]:
    async with SimulatedVendor(
        "amdocs",
        tls=VendorTls.in_folder(folder),
        client=CLIENT,
        data=data,
        token_lifetime_s=LIFE_S,
        clock=clock.wall,
    ) as one:
        yield one


@pytest.fixture
def connection(bench: Bench, vendor: SimulatedVendor) -> VendorConnection:
    """Patient: it is in one event loop with the vendor, on a machine that may be busy."""
    return bench.to(vendor, wire={"exchange_timeout": "30s", "queue_length": CALLERS})


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("fault", USELESS.values(), ids=USELESS)
async def test_an_issuer_that_gives_no_token_is_a_matter_of_auth_until_it_does(
    bench: Bench, vendor: SimulatedVendor, clock: LeapingClock, fault: Fault
) -> None:
    """The vendor's API sees nothing: no request without a token, nor with one that is none."""
    never_ends = isinstance(fault, Hang | SlowDrip)
    connection = bench.to(vendor, wire={"exchange_timeout": "300ms" if never_ends else "30s"})
    await vendor.faults.set(fault)
    failure = await failure_of(connection)
    assert failure.reason is Reason.AUTH
    assert "the token endpoint" in failure.detail
    assert set(vendor.traffic.counts) == {"token"}
    await vendor.faults.clear()
    clock.leap(REST_S)
    if not never_ends:
        assert (await ask(connection)).status == 200


@pytest.mark.parametrize("fault", USABLE.values(), ids=USABLE)
async def test_an_issuer_that_is_merely_odd_is_understood(
    vendor: SimulatedVendor, connection: VendorConnection, fault: Fault
) -> None:
    await vendor.faults.set(fault)
    assert (await ask(connection)).status == 200


async def test_an_issuer_that_nobody_listens_for_is_a_matter_of_auth(
    bench: Bench, vendor: SimulatedVendor, closed_port: int
) -> None:
    connection = bench.connect(vendor.base_url, f"https://127.0.0.1:{closed_port}/token")
    failure = await failure_of(connection)
    assert failure.reason is Reason.AUTH
    assert "unreachable" in failure.detail
    assert not vendor.traffic.requests


async def test_a_token_serves_while_the_issuer_is_down_until_it_ends_and_never_longer(
    vendor: SimulatedVendor, connection: VendorConnection, clock: LeapingClock
) -> None:
    assert (await ask(connection)).status == 200
    await vendor.faults.set(Status(where="token", status=500))
    clock.leap(LIFE_S * 0.95)
    assert (await ask(connection)).status == 200
    clock.leap(LIFE_S * 0.05)
    assert (await failure_of(connection)).reason is Reason.AUTH
    await vendor.faults.clear()
    clock.leap(REST_S)
    assert (await ask(connection)).status == 200
    assert vendor.traffic.replies[401] == 0


@pytest.mark.parametrize("age_s", [None, LIFE_S * 0.9, LIFE_S * 0.999, LIFE_S, LIFE_S * 9])
async def test_a_thousand_callers_at_once_cause_one_token_request(
    vendor: SimulatedVendor, connection: VendorConnection, clock: LeapingClock, age_s: float | None
) -> None:
    """Before the first token, when it is to be renewed, and when it has just ended."""
    if age_s is not None:
        await ask(connection)
        clock.leap(age_s)
    before = vendor.traffic.counts["token"]
    loop = asyncio.get_running_loop()
    call = Call(deadline=loop.time() + 60, asked_at=clock.wall())
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(connection.exchange.send(ASKED, call)) for _ in range(CALLERS)]
    assert {one.result().status for one in asking} == {200}
    assert vendor.traffic.counts["token"] == before + 1
    assert vendor.traffic.replies[401] == 0


async def test_a_hundred_refusals_cause_one_token_request_and_one_more_try_of_each(
    vendor: SimulatedVendor, connection: VendorConnection, clock: LeapingClock
) -> None:
    await ask(connection)
    assert vendor.tokens is not None
    vendor.tokens.revoke_all()
    vendor.traffic.forget()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(ask(connection)) for _ in range(100)]
    assert {one.result().status for one in asking} == {200}
    assert vendor.traffic.counts["token"] == 1
    refused = vendor.traffic.replies[401]
    assert 1 <= refused <= 100
    assert vendor.traffic.counts["product"] == 100 + refused
