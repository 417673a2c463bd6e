"""One or two faults on one lane, under load: what was seen, and what of the promise was broken."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TypeAlias

from adapters.outcome import Reason
from tests.chaos.fault import AFTER_FAILURES, Fault, leeway_of
from tests.chaos.judge import STRAIN, Judge, Leeway, Verdict
from tests.chaos.load import Answered, Rate, load, schedule
from tests.chaos.world import Lane

ALLOWANCE_S = 0.05
"""An answer may come so long after its deadline."""
FEW = 8
"""Below, not every reason that a fault gives has to be seen."""
MORE, MORE_S = Rate(singles=12, batches=6, disputes=0, wholes=0), 0.25
"""What is asked over and over while a fault has not been felt yet."""
TO_BE_FELT_S = 5.0
"""Enough for a breaker that is open for its longest, and a probe."""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a load has shown. It holds nothing of any customer."""

    name: str
    lane: str
    questions: int = 0
    hung_up: int = 0
    full: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    degraded: Counter[Reason] = field(default_factory=Counter)
    unexpected: Counter[Reason] = field(default_factory=Counter)
    """Those among them for which the faults are no reason."""
    wrong: Counter[str] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)
    beyond_s: list[float] = field(default_factory=list)
    """How long after its deadline each answer came; below zero: before it."""
    recovered_s: float = 0.0

    @property
    def late(self) -> int:
        return sum(one > ALLOWANCE_S for one in self.beyond_s)

    @property
    def latest_s(self) -> float:
        return max(self.beyond_s, default=0.0)

    def quantile_s(self, share: float) -> float:
        ordered = sorted(self.took_s)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0

    def add(self, one: Answered, judge: Judge, leeway: Leeway) -> Verdict:
        self.questions += 1
        if one.hung_up:
            self.hung_up += 1
            return Verdict()
        self.took_s.append(one.took_s)
        self.beyond_s.append(one.took_s - one.question.budget_s)
        verdict = judge.verdict(one.question, one.said, leeway)
        self.wrong.update(verdict.wrong)
        self.full += verdict.is_full
        if one.said is not None:
            self.statuses[one.said.status] += 1
        if verdict.degraded is not None:
            self.degraded[verdict.degraded.reason] += 1
            if verdict.unexpected:
                self.unexpected[verdict.degraded.reason] += 1
        return verdict

    def unfelt(self, faults: Sequence[Fault]) -> list[str]:
        """What of the faults was not seen. A machine that is too busy may hide them."""
        found = []
        if not self._shows(faults):
            found.append(f"it did not show: degraded were {dict(self.degraded)}")
        if len(faults) == 1 and not faults[0].bites(self):
            found.append("it was not felt")
        return [f"{self.name} on {self.lane}: {one}" for one in found]

    def problems(self) -> list[str]:
        """What is broken whatever the machine was busy with: never a matter of time."""
        found = [f"{count} × {what}" for what, count in self.wrong.items()]
        found += [
            f"{count} × degraded for {reason}, which the fault does not give"
            for reason, count in self.unexpected.items()
            if reason not in STRAIN
        ]
        return [f"{self.name} on {self.lane}: {one}" for one in found]

    def _shows(self, faults: Sequence[Fault]) -> bool:
        """Of two at once, one may hide the other; and few answers may all be about what follows."""
        if not self.took_s or not all(one.expects and one.shows for one in faults):
            return True
        wanted = frozenset[Reason]().union(*(one.expects for one in faults))
        also = AFTER_FAILURES if len(faults) > 1 or self.questions < FEW else frozenset()
        return bool((wanted | also) & set(self.degraded))


Seen: TypeAlias = Callable[[Answered, Verdict], None]
"""Is handed each answer, and what it was judged to be."""


async def trial(
    lane: Lane,
    *faults: Fault,
    seconds: float,
    rate: Rate,
    seed: int = 0,
    seen: Seen = lambda _one, _verdict: None,
) -> Findings:
    """The load with the faults in force, then the way back. Raises `NotWell` if there is none.

    How much a load of some seconds meets of a fault is a matter of luck. So a fault that is tried
    alone, and was not felt, is asked into until it is; what never shows is red.
    """
    luck = random.Random(f"{seed}/{lane.name}")
    name = " + ".join(one.name for one in faults)
    findings, leeway = Findings(name=name, lane=lane.name), leeway_of(*faults)

    async def under(rate: Rate, seconds: float) -> None:
        for one in await load(lane, schedule(lane, rate, seconds, luck)):
            seen(one, findings.add(one, lane.world.judge, leeway))

    async with AsyncExitStack() as stack:
        for fault in faults:
            await stack.enter_async_context(fault.around(lane))
        await under(rate, seconds)
        if len(faults) == 1:
            await _until_felt(lane, faults[0], findings, under)
            await faults[0].check(lane)
    findings.recovered_s = await lane.until_well()
    return findings


async def _until_felt(
    lane: Lane, fault: Fault, findings: Findings, under: Callable[[Rate, float], Awaitable[None]]
) -> None:
    clock = asyncio.get_running_loop().time
    ends = clock() + TO_BE_FELT_S
    while findings.unfelt([fault]) and clock() < ends:
        await fault.again(lane)
        await under(MORE, MORE_S)
