"""Reads of the store that cost their callers next to nothing, whatever the store does."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from adapters.outcome import LookupFailed, NotAsked, Reason
from config import settings
from proxy.cache.store import MOST_NAMES, FailureKind, Store, StoreFailed
from proxy.guard.breaker import Breaker, PermitHeld
from proxy.guard.clock import Clock, loop_time
from proxy.guard.lag import LoopLag

Bypassed: TypeAlias = FailureKind | Literal["breaker_open"]

BREAKER = settings.Breaker().model_copy(
    update={
        "minimum_calls": 5,
        "slow_call": 0.1,
        "open_time": 0.25,
        "longest_open_time": 2.0,
        "half_open_permits": 1,
    }
)
"""A store that fails is left alone soon, and asked again soon: nobody but us suffers."""
FLIGHTS = 4
"""Reads that are waited for at once. Beyond it names wait for one that is over, and travel
together."""
_TURNS = 3
"""Of the event loop, from the end of the budget until it is over: for what has arrived by then to
be read and decoded. Turns of a loop that is free take nothing."""
_LATE_S = 0.001
"""A timer that is later than this was kept waiting: the store is not to blame for it."""
_SLOW: LookupFailed = LookupFailed(Reason.UNREACHABLE, "the store did not answer in time")


class Gathered(NamedTuple):
    """What a store had, in the order of the names."""

    values: Sequence[bytes | None]
    bypassed: Bypassed | None = None
    """Why the store said nothing; `None`: it did."""


class Reads(Protocol):
    async def get_many(self, names: Sequence[bytes]) -> Gathered:
        """Raises nothing of the store's."""
        ...


class DirectReads:
    """Of a store that answers in no time, such as memory."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get_many(self, names: Sequence[bytes]) -> Gathered:
        try:
            return Gathered(await self._store.get_many(names))
        except StoreFailed as failure:
            return _nothing(names, failure.kind)


class GatheredReads:
    """All callers of one turn of the event loop ask together, and wait for the budget at most.

    There are no retries. A flight that is late is waited for no longer and is not cut off either:
    its connection stays good.
    """

    def __init__(
        self,
        store: Store,
        *,
        budget_s: float,
        breaker: Breaker,
        lag: LoopLag | None = None,
        clock: Clock = loop_time,
    ) -> None:
        self._store = store
        self.budget_s = budget_s
        self.breaker = breaker
        self._lag = lag or LoopLag()
        self._clock = clock
        self._boarding: _Flight | None = None
        self._waiting: list[_Flight] = []
        self._flying = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def get_many(self, names: Sequence[bytes]) -> Gathered:
        if not names:
            return Gathered(())
        flight = self._boarding
        if flight is None or flight.timer is not None or not flight.has_room_for(names):
            # Whoever boards a flight of this turn was let in with the first of it.
            try:
                self.breaker.admit()
            except NotAsked:
                return _nothing(names, "breaker_open")
            if len(names) > MOST_NAMES:
                return await self._in_parts(names)
            flight = self._flight_for(names)
        return await flight.join(names)

    async def aclose(self) -> None:
        """Nobody waits any longer. The store is not closed."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _in_parts(self, names: Sequence[bytes]) -> Gathered:
        starts = range(0, len(names), MOST_NAMES)
        parts = await asyncio.gather(*(self.get_many(names[i : i + MOST_NAMES]) for i in starts))
        bypassed = next((part.bypassed for part in parts if part.bypassed), None)
        return Gathered([value for part in parts for value in part.values], bypassed)

    def _flight_for(self, names: Sequence[bytes]) -> "_Flight":
        flight = self._boarding
        if flight is None or not flight.has_room_for(names):
            flight = self._boarding = _Flight()
            self._waiting.append(flight)
            self._spawn(self._depart(flight))
        return flight

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _depart(self, flight: "_Flight") -> None:
        """The turn of the event loop is over: whoever waits from now on waits for the store."""
        flight.timer = asyncio.get_running_loop().call_later(
            self.budget_s, self._is_late, flight, self._clock() + self.budget_s
        )
        ready = [*self._cleared()]
        for other in ready:
            if other is not flight:
                self._spawn(self._fly(other))
        if flight in ready:
            await self._fly(flight)

    def _take_off(self) -> None:
        for flight in self._cleared():
            self._spawn(self._fly(flight))

    def _cleared(self) -> Iterator["_Flight"]:
        """Those that may fly now."""
        while self._waiting and self._waiting[0].timer and self._flying < FLIGHTS:
            flight = self._waiting.pop(0)
            if flight is self._boarding:
                self._boarding = None
            if not flight.is_wanted:
                flight.land("closed")
                continue
            try:
                flight.permit = self.breaker.permit()
            except NotAsked:
                flight.land("breaker_open")
                continue
            self._flying += 1
            yield flight

    async def _fly(self, flight: "_Flight") -> None:
        names = tuple(flight.names)
        flight.began_at = self._clock()
        found: _Found = "closed"
        try:
            with self._lag.watched() as watch:
                values = await self._store.get_many(names)
            if len(values) != len(names):
                raise StoreFailed("protocol")  # noqa: TRY301  (it counts as the store's own)
            found = values
            flight.succeeded(self._clock() - watch.late_s())
        except StoreFailed as failure:
            found = failure.kind
            flight.failed(self._clock())
        finally:
            flight.over()
            self._land(flight, found)

    def _is_late(self, flight: "_Flight", due: float) -> None:
        """Its time is over. What has arrived by now still counts."""
        on_time = self._clock() - due < _LATE_S
        self._after_turns(_TURNS, flight, on_time=on_time)

    def _after_turns(self, turns: int, flight: "_Flight", *, on_time: bool) -> None:
        if flight.has_landed:
            return
        if turns:
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: self._after_turns(turns - 1, flight, on_time=on_time))
            return
        if on_time:
            flight.failed(self._clock())
        self._land(flight, "timeout")

    def _land(self, flight: "_Flight", found: "_Found") -> None:
        """Once. A flight that never took off leaves the queue."""
        if flight.has_landed:
            return
        if flight in self._waiting:
            self._waiting.remove(flight)
        else:
            self._flying -= 1
        if flight is self._boarding:
            self._boarding = None
        flight.land(found)
        self._take_off()


_Found: TypeAlias = Sequence[bytes | None] | FailureKind | Literal["breaker_open"]
"""What is kept under each of the names, or why that is not known."""


class _Flight:
    """One read of the store, for several callers."""

    __slots__ = ("_callers", "began_at", "has_landed", "names", "permit", "timer")

    def __init__(self) -> None:
        self.names: dict[bytes, None] = {}
        self.timer: asyncio.TimerHandle | None = None
        self.permit: PermitHeld | None = None
        self.began_at = 0.0
        self.has_landed = False
        self._callers: list[tuple[asyncio.Future[Gathered], Sequence[bytes]]] = []

    def has_room_for(self, names: Sequence[bytes]) -> bool:
        return len(self.names) + len(names) <= MOST_NAMES

    def join(self, names: Sequence[bytes]) -> asyncio.Future[Gathered]:
        self.names.update(dict.fromkeys(names))
        caller: asyncio.Future[Gathered] = asyncio.get_running_loop().create_future()
        self._callers.append((caller, names))
        return caller

    @property
    def is_wanted(self) -> bool:
        return not all(caller.done() for caller, _ in self._callers)

    def land(self, found: _Found) -> None:
        self.has_landed = True
        if self.timer:
            self.timer.cancel()
        if isinstance(found, str):
            for caller, names in self._callers:
                if not caller.done():
                    caller.set_result(_nothing(names, found))
        else:
            self._hand_out(found)

    def _hand_out(self, values: Sequence[bytes | None]) -> None:
        if len(self._callers) == 1 and len(self._callers[0][1]) == len(values):
            caller, _ = self._callers[0]  # of distinct names, they are in the order asked
            if not caller.done():
                caller.set_result(Gathered(values))
            return
        kept = dict(zip(self.names, values, strict=True))
        for caller, names in self._callers:
            if not caller.done():
                caller.set_result(Gathered([kept[name] for name in names]))

    def succeeded(self, now: float) -> None:
        if self.permit:
            self.permit.success(now - self.began_at)

    def failed(self, now: float) -> None:
        if self.permit:
            self.permit.failure(now - self.began_at, _SLOW)

    def over(self) -> None:
        if self.permit:
            self.permit.neither()


def _nothing(names: Sequence[bytes], why: Bypassed) -> Gathered:
    return Gathered([None] * len(names), why)
