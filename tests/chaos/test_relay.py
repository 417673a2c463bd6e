"""Each way to misbehave does what it says, seen from a plain TCP client of a plain TCP server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.chaos import ways
from tests.chaos.relay import Relay, Way, connected

REPLY = b"0123456789" * 10
LONG_S = 20.0
"""Whatever is waited for comes well before."""
SHORT_S = 0.15
"""Within this, nothing comes that should not."""


@dataclass(slots=True)
class Caller:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self) -> bytes:
        """What comes back, whole or not."""
        await self.send()
        return await self.hear(len(REPLY))

    async def send(self) -> None:
        self.writer.write(b"?")
        await self.writer.drain()

    async def hear(self, most: int = 1_000) -> bytes:
        heard = b""
        async with asyncio.timeout(LONG_S):
            while len(heard) < most and (data := await self.reader.read(most - len(heard))):
                heard += data
        return heard

    async def hears_nothing(self) -> bool:
        try:
            async with asyncio.timeout(SHORT_S):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while await reader.read(1):
            writer.write(REPLY)
            await writer.drain()
    writer.close()


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, Relay(("127.0.0.1", 0), to=server.sockets[0].getsockname()) as one:
        yield one


@asynccontextmanager
async def caller(relay: Relay) -> AsyncIterator[Caller]:
    async with asyncio.timeout(LONG_S):
        one = Caller(*await connected(relay.address))
    try:
        yield one
    finally:
        one.writer.close()
        with suppress(OSError):
            await one.writer.wait_closed()


async def test_without_a_way_bytes_pass_both_ways_and_ends_are_told(relay: Relay) -> None:
    async with caller(relay) as one:
        assert await one.ask() == REPLY
        assert await one.ask() == REPLY
        one.writer.write_eof()
        assert await one.hear() == b""
    assert (relay.accepted, relay.connected) == (1, 1)


async def test_a_link_that_ended_is_forgotten(relay: Relay) -> None:
    async with caller(relay) as one:
        await one.ask()
        assert len(relay.links) == 1
    async with asyncio.timeout(LONG_S):
        while relay.links:  # noqa: ASYNC110  (a real socket is waited for)
            await asyncio.sleep(0.01)


async def test_it_relays_between_unix_sockets_too(tmp_path: Path) -> None:
    far = tmp_path / "far"
    async with (
        await asyncio.start_unix_server(answer, far),
        Relay(tmp_path / "near", to=far) as relay,
        caller(relay) as one,
    ):
        assert await one.ask() == REPLY
        async with relay.behaving(ways.Refuse()):
            with pytest.raises(ConnectionRefusedError):
                await connected(relay.address)
        async with caller(relay) as another:
            assert await another.ask() == REPLY


async def test_refuse_resets_who_is_there_and_refuses_who_comes_until_it_is_over(
    relay: Relay,
) -> None:
    async with caller(relay) as one:
        await one.ask()
        async with relay.behaving(ways.Refuse()):
            with pytest.raises(ConnectionResetError):
                await one.hear()
            with pytest.raises(ConnectionRefusedError):
                await connected(relay.address)
    async with caller(relay) as one:
        assert await one.ask() == REPLY


async def test_into_a_black_hole_nobody_connects_and_nothing_comes_out(relay: Relay) -> None:
    async with caller(relay) as one:
        await one.ask()
        async with relay.behaving(ways.BlackHole()):
            await one.send()
            assert await one.hears_nothing()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(SHORT_S):
                    await connected(relay.address)
    async with caller(relay) as one:
        assert await one.ask() == REPLY


async def test_silence_holds_what_is_sent_until_it_is_over(relay: Relay) -> None:
    async with caller(relay) as one:
        await one.ask()
        async with caller(relay) as another:
            await another.ask()
            async with relay.behaving(ways.Silent()), caller(relay) as new:
                for each in (one, new):
                    await each.send()
                    assert await each.hears_nothing()
            assert await one.hear(len(REPLY)) == REPLY
            assert await another.ask() == REPLY


async def test_a_stalled_handshake_stops_in_the_first_flight(relay: Relay) -> None:
    async with relay.behaving(ways.StalledHandshake(after_bytes=3)), caller(relay) as one:
        await one.send()
        assert await one.hear(3) == REPLY[:3]
        assert await one.hears_nothing()


async def test_reset_at_connect(relay: Relay) -> None:
    async with relay.behaving(ways.ResetAtConnect()):
        with pytest.raises(ConnectionResetError):
            async with caller(relay) as one:
                await one.hear()
    assert (relay.accepted, relay.connected) == (1, 0)


async def test_a_reply_is_reset_after_some_bytes(relay: Relay) -> None:
    async with relay.behaving(ways.ResetReply(after_bytes=7)), caller(relay) as one:
        assert await one.ask() == REPLY, "the first flight is the handshake's"
        await one.send()
        with suppress(ConnectionResetError):  # the kernel may drop what came before it
            assert REPLY[:7].startswith(await one.hear(7))
            await one.hear()
            pytest.fail("it was not reset")


async def test_latency_comes_once_for_each_flight(relay: Relay) -> None:
    clock = asyncio.get_running_loop().time
    async with relay.behaving(ways.Latency(SHORT_S)), caller(relay) as one:
        for _ in range(2):
            began = clock()
            assert await one.ask() == REPLY
            assert clock() - began >= SHORT_S


@pytest.mark.parametrize(
    "way", [ways.Drip(piece_bytes=5, pause_s=0.05), ways.Bandwidth(bytes_per_s=100)]
)
async def test_what_drips_takes_its_time_and_arrives_whole(relay: Relay, way: Way) -> None:
    clock = asyncio.get_running_loop().time
    async with caller(relay) as one:
        await one.ask()
        async with relay.behaving(way):
            began = clock()
            assert await one.ask() == REPLY
            assert clock() - began >= 0.9


async def test_half_open_links_stay_dead_and_new_ones_live(relay: Relay) -> None:
    async with caller(relay) as old:
        await old.ask()
        async with relay.behaving(ways.HalfOpen()), caller(relay) as new:
            assert await new.ask() == REPLY
        await old.send()
        assert await old.hears_nothing()


async def test_a_half_close_ends_the_reply_and_leaves_the_way_up_open(relay: Relay) -> None:
    async with relay.behaving(ways.HalfClose(after_bytes=4)), caller(relay) as one:
        await one.ask()
        await one.send()
        assert await one.hear() == REPLY[:4]
        await one.send()
        assert len(relay.links) == 1


async def test_a_kept_connection_is_closed_when_it_is_used_again(relay: Relay) -> None:
    async with relay.behaving(ways.CloseOnReuse()), caller(relay) as one:
        assert await one.ask() == REPLY
        assert await one.ask() == REPLY, "TLS takes two flights for the first request"
        await one.send()
        with suppress(ConnectionResetError):
            assert await one.hear() == b""


async def test_an_idle_connection_is_closed(relay: Relay) -> None:
    async with relay.behaving(ways.CloseIdle(after_s=0.01)), caller(relay) as one:
        await one.ask()
        assert await one.ask() == REPLY
        assert await one.hear() == b""


async def test_a_bit_flips(relay: Relay) -> None:
    async with relay.behaving(ways.Corrupt()), caller(relay) as one:
        assert await one.ask() == REPLY
        heard = await one.ask()
        assert len(heard) == len(REPLY)
        assert sum(a != b for a, b in zip(heard, REPLY, strict=True)) == 1


async def test_it_moves_to_another_address_and_nobody_is_left_at_the_old_one(relay: Relay) -> None:
    async with caller(relay) as one:
        await one.ask()
        old = relay.address
        await relay.move("127.0.0.2")
        assert relay.address == ("127.0.0.2", relay.port)
        with pytest.raises(ConnectionResetError):
            await one.hear()
        with pytest.raises(ConnectionRefusedError):
            await connected(old)
    async with caller(relay) as another:
        assert await another.ask() == REPLY


async def test_two_ways_at_once_both_show(relay: Relay) -> None:
    clock = asyncio.get_running_loop().time
    both = ways.Latency(SHORT_S), ways.Corrupt()
    async with caller(relay) as one:
        await one.ask()
        async with relay.behaving(*both):
            began = clock()
            assert await one.ask() != REPLY
            assert clock() - began >= SHORT_S
        assert await one.ask() == REPLY
