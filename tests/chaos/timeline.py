"""What each lane went through over time, for the plot. It holds nothing of any customer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

from tests.chaos.judge import Verdict
from tests.chaos.load import Answered
from tests.chaos.world import World

_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Dot:
    """One answer."""

    lane: str
    at_s: float
    took_s: float
    budget_s: float
    is_full: bool
    is_wrong: bool


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when faults were tried on a lane."""

    lane: str
    name: str
    begin_s: float
    healed_s: float
    """From then on nothing was broken any more."""
    end_s: float
    """And from then on all was answered in full again."""


@dataclass(slots=True)
class Seeing:
    """What is being tried on a lane; it is handed each answer, and when all was mended."""

    lane: str
    began_s: float
    dots: list[Dot]
    recovered_s: float = 0.0

    def answered(self, one: Answered, verdict: Verdict) -> None:
        if one.hung_up:
            return
        at_s, budget_s = self.began_s + one.began_s, one.question.budget_s
        wrong = bool(verdict.wrong)
        self.dots.append(Dot(self.lane, at_s, one.took_s, budget_s, verdict.is_full, wrong))


@dataclass(slots=True)
class Timeline:
    dots: list[Dot] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    states: list[tuple[float, str, str, str]] = field(default_factory=list)
    """Moment, lane, breaker, state."""
    phases: list[tuple[float, str]] = field(default_factory=list)
    """When what began."""
    _began: float = 0.0

    def begin(self, phase: str) -> None:
        self.phases.append((self._now(), phase))

    @contextmanager
    def during(self, lane: str, name: str) -> Iterator[Seeing]:
        began = self._now()
        seeing = Seeing(lane, began, self.dots)
        try:
            yield seeing
        finally:
            now = self._now()
            self.spans.append(Span(lane, name, began, now - seeing.recovered_s, now))

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
