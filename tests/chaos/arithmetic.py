"""The contract asks for 99.5 %; a vendor that is down 1 % of the time and slow 2 % gives 97 %."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from tests.chaos import ways
from tests.chaos.judge import STRAIN, Leeway
from tests.chaos.load import Answered, Rate, load, schedule
from tests.chaos.trial import ALLOWANCE_S
from tests.chaos.world import Lane

DOWN, SLOW = 0.01, 0.02
SLOW_S = 1.0
"""Added to each flight of bytes while it is slow."""
PROMISED = 0.995


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    seconds: float
    questions: int
    valid_in_time: int
    """Answers as the contract wants them, degraded ones included."""
    full: int
    """Those among them that lack nothing."""
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def problems(self) -> list[str]:
        found = [f"{count} × {what}" for what, count in self.wrong.items()]
        if self.questions and self.valid_in_time < PROMISED * self.questions:
            found.append(f"{self.valid_in_time} of {self.questions} valid answers came in time")
        return found


async def unreliable(lane: Lane, rate: Rate, seconds: float) -> Arithmetic:
    """A vendor that is away once and slow once, for those shares of the time."""
    planned = schedule(lane, rate, seconds, random.Random(0))
    relay = lane.relay
    assert relay is not None

    async def fail() -> None:
        await asyncio.sleep(seconds * 0.3)
        async with relay.behaving(ways.Refuse()):
            await asyncio.sleep(seconds * DOWN)
        await asyncio.sleep(seconds * 0.3)
        async with relay.behaving(ways.Latency(SLOW_S)):
            await asyncio.sleep(seconds * SLOW)

    async with asyncio.TaskGroup() as group:
        group.create_task(fail())
        asked = group.create_task(load(lane, planned))
    await lane.until_well()
    return _added_up(lane, asked.result(), seconds)


def _added_up(lane: Lane, answered: list[Answered], seconds: float) -> Arithmetic:
    judge, leeway = lane.world.judge, Leeway(reasons=STRAIN)
    verdicts = [(one, judge.verdict(one.question, one.said, leeway)) for one in answered]
    in_time = [
        verdict
        for one, verdict in verdicts
        if not verdict.wrong and one.took_s <= one.question.budget_s + ALLOWANCE_S
    ]
    return Arithmetic(
        seconds=seconds,
        questions=len(answered),
        valid_in_time=len(in_time),
        full=sum(verdict.is_full for verdict in in_time),
        wrong=Counter(what for _, verdict in verdicts for what in verdict.wrong),
    )
