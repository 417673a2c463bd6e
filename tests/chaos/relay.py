"""A relay of bytes between the sidecar and whoever it talks to, with ways to misbehave.

    async with Relay(("127.0.0.1", 0), to=("127.0.0.1", vendor.port)) as relay:
        ...  # connect to relay.address
        async with relay.behaving(Latency(0.2)):
            ...

A `Way` stands around three moments of a link: it is opened, it carries bytes, one side ends. Each
way passes on to the next by `go_on`, or does not. Those in force at the moment count, in the order
in which they were put in force; so two at once both show.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from types import TracebackType
from typing import ClassVar, Literal, Self, TypeAlias, cast

from adapters.simulator.door import reset
from proxy.lifecycle import Tasks
from tests.chaos.door import Address, Door, Listening

Side: TypeAlias = Literal["up", "down"]
"""Where bytes go: `up` to the vendor, `down` to the sidecar."""
Step: TypeAlias = Callable[[], Awaitable[None]]
Carry: TypeAlias = Callable[[bytes], Awaitable[None]]

_CHUNK_BYTES = 65_536


class Way:
    """Nothing happens. Each way to misbehave is a small class below this one, see `ways`."""

    listening: ClassVar[Listening] = "serving"

    def begin(self, relay: "Relay") -> None:
        """It comes into force; `relay.links` are those that are open."""

    async def open(self, link: "Link", go_on: Step) -> None:
        """Somebody has connected; `go_on` connects to the vendor."""
        await go_on()

    async def carry(self, link: "Link", side: Side, data: bytes, go_on: Carry) -> None:
        await go_on(data)

    async def end(self, link: "Link", side: Side, go_on: Step) -> None:
        """Whoever sends on this side has ended (FIN); `go_on` tells the other."""
        await go_on()


class Link:
    """One connection from the sidecar, and the one to the vendor that it is relayed to."""

    def __init__(
        self, relay: "Relay", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._relay = relay
        self._near = reader, writer
        self._far: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.is_dead = False
        """Whatever comes is swallowed, for ever; nobody is told."""
        self.flight = 0
        """How often the direction has turned from down to up. TLS shakes hands in 1 and 2; from 2
        on there are requests, and from 3 on nothing but them."""
        self.flight_bytes = 0
        """That went down in this flight."""
        self._latest: Side = "down"

    async def run(self) -> None:
        try:
            await self._relay.around("open", self, self._connect)
            if self._far is not None:
                (near, to_near), (far, to_far) = self._near, self._far
                async with asyncio.TaskGroup() as ways:
                    ways.create_task(self._pump("up", near, to_far))
                    ways.create_task(self._pump("down", far, to_near))
        except* OSError:
            self.reset()
        finally:
            await self._close()

    def reset(self) -> None:
        """RST to both sides."""
        for _, writer in filter(None, (self._near, self._far)):
            reset(cast("asyncio.Transport", writer.transport))

    def finish(self) -> None:
        """An orderly end (FIN) to both sides."""
        for _, writer in filter(None, (self._near, self._far)):
            writer.close()

    def end_near(self) -> None:
        """FIN to the sidecar; what it still sends is taken."""
        writer = self._near[1]
        if not writer.is_closing() and writer.can_write_eof():
            writer.write_eof()

    async def hold(self, way: Way) -> None:
        """Until the way is no longer in force."""
        await self._relay.while_in_force(way)

    async def _connect(self) -> None:
        self._far = await connected(self._relay.to)
        self._relay.connected += 1

    async def _pump(
        self, side: Side, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        async def deliver(data: bytes) -> None:
            if sink.is_closing():  # nor is anything raised then
                raise ConnectionResetError
            sink.write(data)
            await sink.drain()

        async def tell_end() -> None:
            with suppress(OSError):
                if not sink.is_closing() and sink.can_write_eof():
                    sink.write_eof()

        while data := await source.read(_CHUNK_BYTES):
            self._count(side, data)
            if not self.is_dead:
                await self._relay.carry(self, side, data, deliver)
        if not self.is_dead:
            await self._relay.around("end", self, tell_end, side)
        elif side == "up":  # nobody is left to be kept in the dark
            self.finish()

    def _count(self, side: Side, data: bytes) -> None:
        if side == "up" and self._latest == "down":
            self.flight += 1
            self.flight_bytes = 0
        if side == "down":
            self.flight_bytes += len(data)
        self._latest = side

    async def _close(self) -> None:
        for _, writer in filter(None, (self._near, self._far)):
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


class Relay:
    """Relays from one address to another for as long as its context is open."""

    def __init__(self, address: Address, *, to: Address) -> None:
        self.to = to
        self.links: set[Link] = set()
        self.accepted = 0
        """Connections that were taken, since the start."""
        self.connected = 0
        """Of those, the ones that reached the vendor."""
        self._ways: list[Way] = []
        self._changed = asyncio.Event()
        self._broken: list[BaseException] = []
        self._tasks = Tasks(self._broken.append)
        self._door = Door(address, self._accept)
        self._listening: Listening = "serving"

    @property
    def address(self) -> Address:
        return self._door.address

    @property
    def port(self) -> int:
        if not isinstance(self.address, tuple):
            raise TypeError("a unix socket has no port")
        return self.address[1]

    async def __aenter__(self) -> Self:
        await self._door.turn("serving")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._door.close()
        await self._tasks.cancel()
        assert self._broken == [], self._broken

    @asynccontextmanager
    async def behaving(self, *ways: Way) -> AsyncIterator[None]:
        """With these ways in force, beside those that are."""
        await self.begin(*ways)
        try:
            yield
        finally:
            await self.end(*ways)

    async def begin(self, *ways: Way) -> None:
        self._ways += ways
        await self._tell()
        for way in ways:
            way.begin(self)

    async def end(self, *ways: Way) -> None:
        """Those that wait for its end go on."""
        self._ways = [one for one in self._ways if not any(one is way for way in ways)]
        await self._tell()

    async def while_in_force(self, way: Way) -> None:
        while any(one is way for one in self._ways):
            await self._changed.wait()

    async def move(self, host: str) -> None:
        """From now on it is at another address, on the same port; where it was, nobody is."""
        old = self._door
        self._door = Door((host, self.port), self._accept)
        await self._door.turn(self._listening)
        old.close()
        self.reset_all()

    def reset_all(self) -> None:
        for link in tuple(self.links):
            link.reset()

    async def around(
        self, moment: Literal["open", "end"], link: Link, act: Step, *more: Side
    ) -> None:
        for way in reversed(self._ways):
            act = partial(getattr(way, moment), link, *more, act)
        await act()

    async def carry(self, link: Link, side: Side, data: bytes, deliver: Carry) -> None:
        for way in reversed(self._ways):
            deliver = _carried_by(way, link, side, deliver)
        await deliver(data)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._tasks.spawn(self._relayed(Link(self, reader, writer)))

    async def _relayed(self, link: Link) -> None:
        self.links.add(link)
        try:
            await link.run()
        finally:
            self.links.discard(link)

    async def _tell(self) -> None:
        words = {way.listening for way in self._ways}
        listening: Listening = "serving"
        if words != {"serving"} and words:
            listening = "refusing" if "refusing" in words else "full"
        if listening != self._listening:
            self._listening = listening
            await self._door.turn(listening)
        self._changed.set()
        self._changed = asyncio.Event()


def _carried_by(way: Way, link: Link, side: Side, go_on: Carry) -> Carry:
    async def carry(data: bytes) -> None:
        await way.carry(link, side, data, go_on)

    return carry


async def connected(to: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(to, tuple):
        return await asyncio.open_connection(*to)
    return await asyncio.open_unix_connection(to)
