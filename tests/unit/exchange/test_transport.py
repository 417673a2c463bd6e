"""How often a vendor is asked for one exchange, and how long that may take."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from adapters.call import Budget
from adapters.outcome import LookupFailed, Reason
from config import settings
from proxy.exchange.replies import RawReply
from proxy.exchange.transport import HttpRequest, Transport, open_session
from tests.servers.leaping import leaping_clock
from tests.unit.exchange.failing import CANARY
from tests.unit.exchange.servers import speaking

FINE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
LONG_S = 1000.0


@dataclass
class Vendor:
    """Answers the given number of requests on each connection, and hangs up on the next."""

    answers: list[int]
    """For each connection, in order; the last for those that follow."""
    connections: int = 0
    requests: list[str] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = self.answers[min(self.connections, len(self.answers) - 1)]
        self.connections += 1
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.decode().split(" ", 1)[0])
            if not answers:
                return
            answers -= 1
            writer.write(FINE)
            await writer.drain()


@asynccontextmanager
async def transport_of(
    may_repeat: Callable[[], bool] = lambda: True, *, timeout_s: float = 30.0, connect: str = "30s"
) -> AsyncIterator[Transport]:
    setting = settings.Wire.model_validate({"connect_timeout": connect})
    session = open_session(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), setting)
    try:
        yield Transport(session, timeout_s=timeout_s, may_repeat=may_repeat)
    finally:
        await session.close()


def request_to(origin: str, method: str = "GET") -> HttpRequest:
    form = "grant=" + CANARY if method == "POST" else None
    return HttpRequest(method=method, url=f"{origin}/?id={CANARY}", headers={}, form=form)


async def fetch(transport: Transport, origin: str, method: str = "GET") -> RawReply:
    return await transport.fetch(request_to(origin, method), body_bytes=1000)


async def failure_of(fetching: Awaitable[RawReply]) -> LookupFailed:
    with pytest.raises(LookupFailed) as failed:
        await fetching
    assert CANARY not in repr(failed.value) + str(failed.value.__context__)
    return failed.value


class Leave:
    """Whether a request may be repeated, and how often that was asked."""

    def __init__(self, *, granted: bool) -> None:
        self.granted = granted
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.granted


async def test_a_request_on_a_used_connection_that_was_just_closed_is_sent_again() -> None:
    leave, vendor = Leave(granted=True), Vendor([1])
    async with speaking(vendor) as origin, transport_of(leave) as transport:
        await fetch(transport, origin)
        assert leave.asked == 0
        assert (await fetch(transport, origin)).status == 200
    assert (leave.asked, vendor.connections, len(vendor.requests)) == (1, 2, 3)


async def test_it_is_not_sent_again_without_leave() -> None:
    leave, vendor = Leave(granted=False), Vendor([1])
    async with speaking(vendor) as origin, transport_of(leave) as transport:
        await fetch(transport, origin)
        failure = await failure_of(fetch(transport, origin))
        assert (failure.reason, leave.asked) == (Reason.UNREACHABLE, 1)
        assert (await fetch(transport, origin)).status == 200
    assert len(vendor.requests) == 3


async def test_what_breaks_on_a_new_connection_is_left_to_the_retries() -> None:
    leave, vendor = Leave(granted=True), Vendor([0])
    async with speaking(vendor) as origin, transport_of(leave) as transport:
        failure = await failure_of(fetch(transport, origin))
    assert (failure.reason, leave.asked, len(vendor.requests)) == (Reason.UNREACHABLE, 0, 1)
    assert "ServerDisconnectedError" in failure.detail


async def test_a_request_is_sent_again_once_at_most() -> None:
    leave, vendor = Leave(granted=True), Vendor([1, 0])
    async with speaking(vendor) as origin, transport_of(leave) as transport:
        await fetch(transport, origin)
        failure = await failure_of(fetch(transport, origin))
    assert (failure.reason, leave.asked, len(vendor.requests)) == (Reason.UNREACHABLE, 1, 3)


async def test_a_post_is_never_sent_again_and_costs_no_leave() -> None:
    leave, vendor = Leave(granted=True), Vendor([1])
    async with speaking(vendor) as origin, transport_of(leave) as transport:
        await fetch(transport, origin)
        failure = await failure_of(fetch(transport, origin, "POST"))
    assert (failure.reason, leave.asked) == (Reason.UNREACHABLE, 0)
    assert vendor.requests == ["GET", "POST"]


async def test_nobody_listening_costs_no_leave() -> None:
    leave = Leave(granted=True)
    async with speaking(Vendor([1])) as origin:
        pass
    async with transport_of(leave) as transport:
        failure = await failure_of(fetch(transport, origin))
    assert (failure.reason, leave.asked) == (Reason.UNREACHABLE, 0)
    assert "ClientConnector" in failure.detail


async def test_many_at_once_each_know_whether_theirs_was_a_used_connection() -> None:
    """Eight connections are in use; then sixteen requests go out, of which eight need new ones."""
    leave, vendor = Leave(granted=True), Vendor([1] * 8 + [99])
    async with speaking(vendor) as origin, transport_of(leave) as transport:
        await asyncio.gather(*(fetch(transport, origin) for _ in range(8)))
        assert (vendor.connections, leave.asked) == (8, 0)
        replies = await asyncio.gather(*(fetch(transport, origin) for _ in range(16)))
    assert {reply.status for reply in replies} == {200}
    assert (leave.asked, len(vendor.requests)) == (8, 8 + 16 + 8)


class Patient:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.was_asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.was_asked.set()
        await self.may_answer.wait()
        writer.write(FINE)
        await writer.drain()


@asynccontextmanager
async def under_way(
    budget: Budget | None, timeout_s: float = LONG_S
) -> AsyncIterator[tuple[Patient, "asyncio.Task[RawReply]"]]:
    """An exchange that the vendor has got, and has not answered."""
    vendor = Patient()
    connecting = transport_of(timeout_s=timeout_s, connect="1d")
    async with speaking(vendor) as origin, connecting as transport:
        fetching = asyncio.get_running_loop().create_task(
            transport.fetch(request_to(origin), body_bytes=1000, budget=budget)
        )
        await vendor.was_asked.wait()
        yield vendor, fetching


async def test_an_exchange_lives_on_with_a_budget_that_grows() -> None:
    with leaping_clock() as clock:
        budget = Budget(clock.loop_time() + 10)
        async with under_way(budget) as (vendor, fetching):
            budget.extend(clock.loop_time() + 100)
            clock.leap(50)
            await asyncio.sleep(0.001)
            assert not fetching.done()
            vendor.may_answer.set()
            assert (await fetching).status == 200


@pytest.mark.parametrize(
    ("budget_s", "timeout_s", "reason"),
    [
        (10, 100, Reason.DEADLINE),
        (100, 10, Reason.UNREACHABLE),
        (None, 10, Reason.UNREACHABLE),
    ],
)
async def test_who_ran_out_of_time_is_told_apart(
    budget_s: float | None, timeout_s: float, reason: Reason
) -> None:
    with leaping_clock() as clock:
        budget = None if budget_s is None else Budget(clock.loop_time() + budget_s)
        async with under_way(budget, timeout_s) as (_, fetching):
            clock.leap(11)
            assert (await failure_of(fetching)).reason is reason


async def test_a_budget_that_grew_does_not_lengthen_what_one_exchange_may_take() -> None:
    with leaping_clock() as clock:
        budget = Budget(clock.loop_time() + 5)
        async with under_way(budget, 20) as (_, fetching):
            budget.extend(clock.loop_time() + 100)
            clock.leap(21)
            assert (await failure_of(fetching)).reason is Reason.UNREACHABLE
