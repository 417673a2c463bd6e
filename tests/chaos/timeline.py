"""Latencies and the breakers' states over time, for the plot. It holds nothing of any customer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

from tests.chaos.load import Answered
from tests.chaos.world import World

_PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class Dot:
    """One answer."""

    at_s: float
    took_s: float
    kind: str
    is_full: bool


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when faults were tried on a lane."""

    lane: str
    name: str
    begin_s: float
    end_s: float


@dataclass(slots=True)
class Timeline:
    dots: list[Dot] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    states: list[tuple[float, str, str, str]] = field(default_factory=list)
    """Moment, lane, breaker, state."""
    _began: float = 0.0

    @contextmanager
    def during(self, lane: str, name: str) -> Iterator[Callable[[Answered, bool], None]]:
        """What is handed an answer, and whether it was full."""
        began = self._now()

        def seen(one: Answered, is_full: bool) -> None:  # noqa: FBT001  (what was seen)
            at_s = began + one.began_s
            self.dots.append(Dot(at_s, one.took_s, one.question.name, is_full))

        try:
            yield seen
        finally:
            self.spans.append(Span(lane, name, began, self._now()))

    @asynccontextmanager
    async def watching(self, world: World) -> AsyncIterator[None]:
        """Looks at the breakers now and then."""
        self._began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._look(world))
            try:
                yield
            finally:
                looking.cancel()

    async def _look(self, world: World) -> None:
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):  # it may be restarting
                if not world.is_down:
                    self._note((await world.status())["connections"])
            await asyncio.sleep(_PAUSE_S)

    def _note(self, connections: dict[str, dict[str, dict[str, dict[str, str]]]]) -> None:
        for lane, one in connections.items():
            for breaker, told in one.get("breakers", {}).items():
                self.states.append((self._now(), lane, breaker, told["state"]))

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._began
