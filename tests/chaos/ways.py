"""The ways in which what lies between the sidecar and a vendor misbehaves, by the byte.

Times are in seconds. To add one: a small class with a sentence, and typed knobs.
"""

import asyncio
import random
from dataclasses import dataclass
from typing import ClassVar

from tests.chaos.door import Listening
from tests.chaos.relay import Carry, Link, Relay, Side, Step, Way


@dataclass(frozen=True, eq=False)
class Refuse(Way):
    """Nobody listens: connections are refused, and those that were open are reset."""

    listening: ClassVar[Listening] = "refusing"

    def begin(self, relay: Relay) -> None:
        relay.reset_all()


@dataclass(frozen=True, eq=False)
class BlackHole(Way):
    """SYNs are dropped, as by a host that is gone; on open connections nothing comes any more."""

    listening: ClassVar[Listening] = "full"

    def begin(self, relay: Relay) -> None:
        for link in relay.links:
            link.is_dead = True


@dataclass(frozen=True, eq=False)
class Silent(Way):
    """Connections are accepted, and then not a byte, on them and on those that were open.

    What was sent meanwhile arrives when it is over.
    """

    async def open(self, link: Link, go_on: Step) -> None:
        await link.hold(self)
        await go_on()

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        await link.hold(self)
        await go_on(data)


@dataclass(frozen=True, eq=False)
class StalledHandshake(Way):
    """The vendor's part of the TLS handshake stops after some bytes."""

    after_bytes: int = 100

    def begin(self, relay: Relay) -> None:
        relay.reset_all()  # else those that are open would serve on

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        if side == "down" and link.flight < 2:
            await go_on(data[: self.after_bytes])
            await link.hold(self)
            await go_on(data[self.after_bytes :])
        else:
            await go_on(data)


@dataclass(frozen=True, eq=False)
class ResetAtConnect(Way):
    """A connection is accepted and reset, as by a load balancer with nobody behind it."""

    def begin(self, relay: Relay) -> None:
        relay.reset_all()

    async def open(self, link: Link, go_on: Step) -> None:
        link.reset()


@dataclass(frozen=True, eq=False)
class ResetReply(Way):
    """A connection is reset after some bytes of a reply."""

    after_bytes: int = 0
    share: float = 1.0

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        if side == "down" and link.flight >= 2 and random.random() < self.share:
            await go_on(data[: self.after_bytes])
            link.reset()
        else:
            await go_on(data)


@dataclass(frozen=True, eq=False)
class Latency(Way):
    """The way down takes longer; it holds once for each flight of bytes."""

    delay_s: float
    jitter_s: float = 0.0
    """Added, evenly spread from nothing to this."""
    share: float = 1.0
    """Of the flights, by chance: 0.02 is a slow tail."""

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        begins = side == "down" and link.flight_bytes == len(data)
        if begins and random.random() < self.share:
            await asyncio.sleep(self.delay_s + random.random() * self.jitter_s)
        await go_on(data)


@dataclass(frozen=True, eq=False)
class Drip(Way):
    """Bytes come down in drops: never silent for long, and never done in time."""

    piece_bytes: int = 8
    pause_s: float = 0.1

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        if side == "up" or link.flight < 2:
            await go_on(data)
            return
        for start in range(0, len(data), self.piece_bytes):
            await go_on(data[start : start + self.piece_bytes])
            await asyncio.sleep(self.pause_s)


@dataclass(frozen=True, eq=False)
class Bandwidth(Way):
    """So many bytes a second go down each connection, its handshake included."""

    bytes_per_s: float = 2_000
    _PIECES_PER_S: ClassVar[int] = 20

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        if side == "up":
            await go_on(data)
            return
        piece = max(1, int(self.bytes_per_s / self._PIECES_PER_S))
        for start in range(0, len(data), piece):
            await asyncio.sleep(piece / self.bytes_per_s)
            await go_on(data[start : start + piece])


@dataclass(frozen=True, eq=False)
class HalfOpen(Way):
    """The vendor's side is gone, and nobody says so: a firewall forgot the connection.

    Those that are open stay so for ever; new ones are served.
    """

    def begin(self, relay: Relay) -> None:
        for link in relay.links:
            link.is_dead = True


@dataclass(frozen=True, eq=False)
class HalfClose(Way):
    """The vendor ends its sending (FIN) after some bytes of a reply, and goes on reading."""

    after_bytes: int = 0

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        if side == "down" and link.flight >= 2:
            await go_on(data[: self.after_bytes])
            link.end_near()
            link.is_dead = True
        else:
            await go_on(data)


@dataclass(frozen=True, eq=False)
class CloseOnReuse(Way):
    """A kept connection is closed (FIN) just as its next request comes: the race that is lost."""

    share: float = 1.0

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        if side == "up" and link.flight >= 3 and random.random() < self.share:
            link.finish()
        else:
            await go_on(data)


@dataclass(frozen=True, eq=False)
class CloseIdle(Way):
    """A connection is closed (FIN) when nothing came down it for so long after a reply."""

    after_s: float = 0.05

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        await go_on(data)
        if side == "down" and link.flight >= 2:
            flight, sent = link.flight, link.flight_bytes

            def close_if_idle() -> None:
                if (link.flight, link.flight_bytes) == (flight, sent):
                    link.finish()

            asyncio.get_running_loop().call_later(self.after_s, close_if_idle)


@dataclass(frozen=True, eq=False)
class Corrupt(Way):
    """A bit flips on the way down, after the handshake; TLS notices, a bare protocol may not."""

    share: float = 1.0

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        if side == "down" and link.flight >= 2 and random.random() < self.share:
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        await go_on(data)
