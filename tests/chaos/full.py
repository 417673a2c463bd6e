"""The full form: a load that is measured first, every fault, then chance, then the balance."""

import asyncio
import random
import traceback
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.chaos import leaks
from tests.chaos.arithmetic import Arithmetic, unreliable
from tests.chaos.fault import Fault, all_faults
from tests.chaos.load import Rate
from tests.chaos.pairs import breaking, pair
from tests.chaos.rounds import Round, rounds
from tests.chaos.sidecar import Census
from tests.chaos.timeline import Timeline
from tests.chaos.trial import ALLOWANCE_S, Findings, trial
from tests.chaos.world import Lane, NotWell, NotWellInTime, World
from tests.servers.patience import TooLate

CPU_AIM, CPU_MOST = 0.40, 0.60
"""Of one core, by the sidecar, at the load without a fault."""
LATE_SHARE, LATE_MOST_S = 0.001, 0.5
CALMER, CALMER_TRIES = 0.6, 4
"""Where the machine does not carry that load, so much of it is tried, so often."""
MORE_THAN_THE_MACHINE = 0.001
"""Share of answers that may be degraded without a fault: what the machine itself does."""
PATIENCE_S = 60.0
"""With a lane that was not well again in time."""
WAITED_MOST = 0.05
"""Share of the time in which others may keep the sidecar from running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    minutes: float = 10.0
    """Of random faults."""
    each_s: float = 4.0
    """Of load under every fault alone."""
    control_s: float = 15.0
    """Of load without a fault."""
    seed: int = 0
    folder: Path = Path(".chaos")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """All that was found out."""

    plan: Plan
    rate: Rate = field(default_factory=Rate)
    """Of each lane."""
    cpu: float = 0.0
    """Of one core, by the sidecar, at that rate without a fault."""
    waited: float = 0.0
    """Share of the time under faults in which the sidecar was ready to run and had no processor."""
    control: list[Findings] = field(default_factory=list)
    alone: list[Findings] = field(default_factory=list)
    by_chance: list[Findings] = field(default_factory=list)
    """Faults alone and in pairs, at random."""
    broken: list[str] = field(default_factory=list)
    """What of the promise was broken, in words."""
    late: list[str] = field(default_factory=list)
    """What came too late, or was not felt in time. It counts only where the machine is calm."""
    resident_bytes: list[int] = field(default_factory=list)
    """Of the sidecar, while faults come by chance; once a second."""
    left_behind: leaks.Balance | None = None
    arithmetic: Arithmetic | None = None
    timeline: Timeline = field(default_factory=Timeline)

    @property
    def under_faults(self) -> Sequence[Findings]:
        return [*self.alone, *self.by_chance]

    @property
    def allowance_s(self) -> float:
        """Beyond the deadline, with what the machine itself costs when nothing is broken."""
        noise = max((one.latest_s for one in self.control), default=0.0)
        return ALLOWANCE_S + max(0.0, noise)

    @property
    def is_calm(self) -> bool:
        """Whether the machine carries the load without a fault, and others leave it alone."""
        asked = sum(one.questions for one in self.control)
        lacking = sum(sum(one.unexpected.values()) for one in self.control)
        carries = lacking <= MORE_THAN_THE_MACHINE * asked and self.cpu <= CPU_MOST
        return carries and self.waited <= WAITED_MOST

    def judge_time(self) -> None:
        beyond = [late for one in self.under_faults for late in one.beyond_s]
        late = sum(one > self.allowance_s for one in beyond)
        if beyond and late > LATE_SHARE * len(beyond):
            self.late.append(f"{late} of {len(beyond)} answers came too late")
        if beyond and max(beyond) > LATE_MOST_S:
            self.late.append(f"one answer came {max(beyond):.3f} s after its deadline")
        if self.is_calm:
            self.broken += self.late
            self.late.clear()


class Course:
    """Runs a plan in a world; `progress` is told what is going on."""

    def __init__(self, world: World, plan: Plan, progress: Callable[[str], None]) -> None:
        self._world = world
        self._plan = plan
        self._progress = progress
        self._faults = all_faults()
        self.outcome = Outcome(plan=plan)

    async def run(self) -> Outcome:
        outcome = self.outcome
        begin, sidecar = outcome.timeline.begin, self._world.sidecar
        clock = asyncio.get_running_loop().time
        async with outcome.timeline.watching(self._world):
            begin("without a fault: how much load the machine carries")
            await self._control()
            begin("every fault alone")
            began, waited_s = clock(), sidecar.kept_waiting_s()
            await self._every_fault()
            begin("at rest")
            before = await self._at_rest()
            begin("random faults, alone and in pairs")
            await self._chance()
            outcome.waited = (sidecar.kept_waiting_s() - waited_s) / (clock() - began)
            begin("at rest")
            after = await self._at_rest()
            outcome.left_behind = leaks.Balance(before, after, outcome.resident_bytes)
        outcome.broken += outcome.left_behind.problems()
        self._progress("a vendor that is down 1 % of the time and slow 2 %")
        lane = next(iter(self._world.lanes.values()))
        outcome.arithmetic = await unreliable(lane, outcome.rate, self._plan.minutes * 6)
        outcome.broken += outcome.arithmetic.problems
        outcome.judge_time()
        return outcome

    async def _at_rest(self) -> Census:
        self._progress("waiting until all is at rest")
        for lane in self._world.lanes.values():
            try:
                await lane.until_well()
            except NotWellInTime as late:
                self.outcome.late.append(f"at rest: {late}")
            except NotWell as broken:
                self.outcome.broken.append(f"at rest: {broken}")
        return await leaks.at_rest(self._world)

    async def _rest(self, lane: Lane) -> None:
        """What one fault has left behind is not to be taken for the next one's."""
        with suppress(NotWell):
            await lane.until_well(PATIENCE_S)

    async def _control(self) -> None:
        """The rate at which the sidecar takes less of a core than it may."""
        outcome = self.outcome
        self._progress("measuring what the load costs without a fault")
        costs = await self._cpu(outcome.rate, seconds=4)
        outcome.rate = outcome.rate.times(CPU_AIM / max(costs, 0.01))
        for attempt in range(CALMER_TRIES):
            if attempt:
                outcome.rate = outcome.rate.times(CALMER)
            speed = f"{outcome.rate.customers:.0f} customers/s on each lane"
            self._progress(f"without a fault, {speed}")
            outcome.control.clear()
            outcome.cpu = await self._cpu(
                outcome.rate, seconds=self._plan.control_s, into=outcome.control
            )
            if outcome.is_calm:
                return

    async def _cpu(
        self, rate: Rate, *, seconds: float, into: list[Findings] | None = None
    ) -> float:
        clock, sidecar = asyncio.get_running_loop().time, self._world.sidecar
        began, used = clock(), sidecar.cpu_s()
        async with asyncio.TaskGroup() as group:
            for lane in self._world.lanes.values():
                one = self._one(lane, (self._faults["no_fault"],), replace(rate), seconds)
                group.create_task(_kept(one, [] if into is None else into))
        return (sidecar.cpu_s() - used) / (clock() - began)

    async def _every_fault(self) -> None:
        planned = rounds(fault for name, fault in self._faults.items() if name != "no_fault")
        for number, one in enumerate(planned, 1):
            names = ", ".join(place.fault.name for place in one)
            self._progress(f"every fault alone, {number}/{len(planned)}: {names}")
            await self._round(one)

    async def _round(self, one: Round) -> None:
        lanes = self._world.lanes
        async with asyncio.TaskGroup() as group:
            for place in one:
                lane = lanes[place.lane]
                if place.fault.fits(lane):
                    tried = self._one(lane, (place.fault,), self.outcome.rate, self._plan.each_s)
                    group.create_task(_kept(tried, self.outcome.alone))

    async def _chance(self) -> None:
        clock = asyncio.get_running_loop().time
        ends = clock() + self._plan.minutes * 60
        async with asyncio.TaskGroup() as group:
            for lane in self._world.lanes.values():
                group.create_task(self._by_chance(lane, ends))
            while (left_s := ends - clock()) > 0:
                found = self.outcome.by_chance
                self.outcome.resident_bytes.append(self._world.sidecar.resident_bytes())
                asked = sum(one.questions for one in found)
                self._progress(
                    f"random faults, {left_s:.0f} s left: {len(found)} tried, {asked} questions, "
                    f"{len(self.outcome.broken)} broken"
                )
                await asyncio.sleep(min(1.0, left_s))

    async def _by_chance(self, lane: Lane, ends: float) -> None:
        luck = random.Random(f"{self._plan.seed}/{lane.name}")
        clock = asyncio.get_running_loop().time
        fitting = breaking(self._faults, lane)
        while fitting and clock() < ends:
            both = pair(self._faults, lane, luck) if luck.random() < 0.5 else None
            faults = both or (luck.choice(fitting),)
            tried = self._one(lane, faults, self.outcome.rate, luck.uniform(2, 8))
            await _kept(tried, self.outcome.by_chance)

    async def _one(
        self, lane: Lane, faults: Sequence[Fault], rate: Rate, seconds: float
    ) -> Findings | None:
        outcome = self.outcome
        seed = len(outcome.by_chance) + self._plan.seed
        name = " + ".join(one.name for one in faults)
        with outcome.timeline.during(lane.name, name) as seen:
            found: Findings | None = None
            try:
                found = await trial(
                    lane, *faults, seconds=seconds, rate=rate, seed=seed, seen=seen.answered
                )
                seen.recovered_s = found.recovered_s
            except* TooLate as late:  # `NotWellInTime` among them
                outcome.late += [f"{name} on {lane.name}: {one}" for one in _words(late)]
                await self._rest(lane)
            except* AssertionError as broken:  # what a fault checks by itself, or `NotWell`
                outcome.broken += [f"{name} on {lane.name}: {one}" for one in _words(broken)]
        if found is not None:
            outcome.broken += found.problems()
            outcome.late += found.unfelt(faults)
        return found


def _words(group: BaseExceptionGroup[AssertionError]) -> Iterator[str]:
    """What each of them says; of a bare `assert`, where it stands."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _words(error)
            continue
        place = traceback.extract_tb(error.__traceback__)[-1]
        yield str(error) or f"{Path(place.filename).name}, line {place.lineno}: {place.line}"


async def _kept(tried: Awaitable[Findings | None], found: list[Findings]) -> None:
    one = await tried
    if one is not None:
        found.append(one)
