"""Askers that never rest, at every sidecar of a fleet, and what they were told.

`CACHE=full` (`make cache`) presses for longer; else what takes a second has to do.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle

import aiohttp

from tests.chaos.judge import FEW, Judge, Leeway, Question, Said
from tests.servers.fleet import CONNECTION, TENANT, WAIT_S, Fleet, Member, eventually
from tests.servers.patience import TooLate
from tests.servers.sidecar import Reply
from tests.servers.vendors import NOW

FULL = os.environ.get("CACHE") == "full"  # noqa: TID251  (a test knob)
PHASE_S = 15.0 if FULL else 0.5
"""How long a state of affairs is looked at."""
PART = 0.99 if FULL else 0.5
"""Of the answers, that have to be in time: a hundred of them have no 99th percentile, and other
tests run beside these."""
ASKERS = 4
"""At each sidecar."""
PAUSE_S = 0.03
"""Between two questions of one asker, on average: a machine of two cores is to have time left."""
HOT = 3 * FEW
"""Customers who are asked about again and again, of a thousand."""
_STRANGERS = cycle([tuple(range(first, first + FEW)) for first in range(400, 988, FEW)])
LOOKUPS = "bss_sidecar_cache_lookup_duration_seconds"


@dataclass(frozen=True, slots=True)
class Told:
    """One answer."""

    phase: str
    """In which its question began."""
    cache: str
    """`Cache-Status`."""
    took_s: float
    """By the sidecar's own account."""
    member: Member
    """Who was asked."""


@dataclass(slots=True)
class Load:
    fleet: Fleet
    phase: str = "well"
    told: list[Told] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """Whatever was not a right and whole answer, in words."""
    hung_up: int = 0
    is_gentle: bool = False
    """Customers one by one and at leisure, so that what is measured is not the machine."""
    rounds: list[int] = field(default_factory=list)
    _judge: Judge = field(default_factory=lambda: JUDGE, repr=False)
    _luck: random.Random = field(default_factory=lambda: random.Random(5))

    async def ask_on(self, member: Member, asker: int) -> None:
        while True:
            await self._ask(member, self._question())
            self.rounds[asker] += 1
            await asyncio.sleep(2 * self._pause_s * self._luck.random())

    async def hang_up_on(self, member: Member) -> None:
        """A pod that does not wait: its questions are cancelled at any moment."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.004 * self._luck.random()):
                    await _asked(member, self._question())
            self.hung_up += 1
            await asyncio.sleep(2 * self._pause_s)

    async def for_a_while(self, phase: str, seconds: float = PHASE_S) -> "Phase":
        """From now on questions belong to this phase; what is told of it when it is over."""
        await self.a_round()
        self.phase = phase
        before = await self._lookups()
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        await self.a_round()
        while loop.time() < until:
            await self.a_round()
        after = await self._lookups()
        return Phase(
            [one for one in self.told if one.phase == phase],
            {edge: after[edge] - before.get(edge, 0) for edge in after},
        )

    async def a_round(self) -> None:
        """Until every asker has ended a question that it began after this call."""
        goal = [done + 2 for done in self.rounds]

        async def is_over() -> bool:
            return all(map(int.__ge__, self.rounds, goal))

        await eventually(is_over)

    async def until_shared(self) -> float:
        """Seconds until the cache is of full use again: what one sidecar learns of customers whom
        nobody asked about is a hit at every other.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        strangers = next(_STRANGERS)

        async def is_used() -> bool:
            replies = [await member.revenue(*strangers) for member in self.fleet.members]
            return all("; hit;" in reply.headers["cache-status"] for reply in replies)

        await eventually(is_used)
        return loop.time() - began

    @property
    def _pause_s(self) -> float:
        return 3 * PAUSE_S if self.is_gentle else PAUSE_S

    def _question(self) -> Question:
        luck = self._luck
        shares = (92, 0, 0, 8) if self.is_gentle else (80, 8, 4, 8)
        kind = luck.choices(("account", "revenue", "disputes", "cold"), shares)[0]
        if kind == "account":
            return _of("account", luck.randrange(HOT))
        if kind == "cold":
            return _of("account", luck.randrange(HOT, 1000))
        first = FEW * luck.randrange(HOT // FEW)
        return _of(kind, *range(first, first + FEW))

    async def _ask(self, member: Member, question: Question) -> None:
        phase = self.phase
        try:
            reply = await _asked(member, question)
        except (aiohttp.ClientError, OSError) as error:
            self.failures.append(f"{phase}: {question.name}: {type(error).__name__}")
            return
        said = Said(reply.status, reply.headers, reply.body)
        verdict = self._judge.verdict(question, said, Leeway())
        if not verdict.is_full:
            self.failures.append(f"{phase}: {verdict}")
        took_s = float(reply.headers["server-timing"].partition("dur=")[2]) / 1000
        self.told.append(Told(phase, reply.headers["cache-status"], took_s, member))

    async def _lookups(self) -> Mapping[float, float]:
        every = await asyncio.gather(*(one.metrics() for one in self.fleet.members))
        total: Counter[float] = Counter()
        for figures in every:
            total.update(figures.buckets(LOOKUPS))
        return total


@dataclass(frozen=True, slots=True)
class Phase:
    """What was told while things were as they were."""

    told: Sequence[Told]
    lookups: Mapping[float, float]
    """How many questions knew within so many seconds what the cache has; cumulated."""

    def looked_s(self, part: float = PART) -> float:
        """By so many seconds this part of all questions knew it: the edge of a bucket above."""
        goal = part * max(self.lookups.values())
        return min(edge for edge, count in self.lookups.items() if count >= goal)

    def hits(self) -> int:
        return sum("; hit" in one.cache for one in self.told)

    def took_s(self, part: float) -> float:
        return quantile([one.took_s for one in self.told], part)

    def text(self) -> str:
        return (
            f"{len(self.told)} answers, {self.hits()} hits; what the cache has was known within "
            f"{self.looked_s(0.5) * 1000:g} ms (median), {self.looked_s() * 1000:g} ms "
            f"({PART:.0%}); answers: {self.took_s(0.5) * 1000:.0f} ms (median), "
            f"{self.took_s(PART) * 1000:.0f} ms ({PART:.0%})"
        )


def quantile(figures: Sequence[float], part: float) -> float:
    return sorted(figures)[int(part * (len(figures) - 1))]


JUDGE = Judge([TENANT], NOW)


@asynccontextmanager
async def under_load(fleet: Fleet, *, gently: bool = False) -> AsyncIterator[Load]:
    """Nothing may fail, to the end."""
    load = Load(fleet, is_gentle=gently)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(load.hang_up_on(member)) for member in fleet.members]
        for member in fleet.members:
            for _ in range(ASKERS):
                load.rounds.append(0)
                tasks.append(group.create_task(load.ask_on(member, len(load.rounds) - 1)))
        try:
            await load.a_round()
            yield load
            await load.a_round()
        finally:
            for task in tasks:
                task.cancel()
    assert load.failures == []
    assert load.hung_up


def assert_in_budget(fault: Phase, well: Phase, budget_s: float) -> None:
    """What the machine adds is in the run without the fault, too."""
    if fault.looked_s() > next_edge(well.looked_s() + budget_s, fault.lookups):
        raise TooLate(f"{fault.text()}; without the fault: {well.text()}")


def next_edge(seconds: float, edges: Mapping[float, float]) -> float:
    return min((edge for edge in edges if edge >= seconds), default=float("inf"))


def tell(what: str) -> None:
    """Shown by `pytest -s`."""
    print(f"\n{what}")  # noqa: T201  (a measurement)


async def _asked(member: Member, question: Question) -> Reply:
    ask: Mapping[str, Callable[..., Awaitable[Reply]]] = {
        "account": member.account, "revenue": member.revenue, "disputes": member.disputes,
    }  # fmt: skip
    async with asyncio.timeout(WAIT_S):
        return await ask[question.kind](*question.numbers)


def _of(kind: str, *numbers: int) -> Question:
    return Question(kind, TENANT, CONNECTION, numbers)  # type: ignore[arg-type]  # a literal
