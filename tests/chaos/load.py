"""Callers that mix singles and batches, at a fixed rate: slow answers do not slow the asking."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.simulator.population import CUSTOMERS
from tests.chaos.judge import FEW, Kind, Question, Said
from tests.chaos.world import Lane
from tests.servers.stopwatch import lateness

_COMPOSITIONS = 8
"""So many different small batches: a handful, so that their sums are worked out once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Questions a second."""

    singles: float = 8.0
    """Accounts, revenue of one, and disputes of one in turn, of any customer."""
    batches: float = 3.0
    """Revenue of 12."""
    disputes: float = 1.0
    """Of 12."""
    wholes: float = 1.0
    """Revenue of 200, the most that may be asked, a few of them twice."""

    def times(self, factor: float) -> "Rate":
        return Rate(
            singles=self.singles * factor,
            batches=self.batches * factor,
            disputes=self.disputes * factor,
            wholes=self.wholes * factor,
        )

    @property
    def customers(self) -> float:
        """Asked about in a second."""
        return self.singles + FEW * (self.batches + self.disputes) + 200 * self.wholes


@dataclass(frozen=True, slots=True)
class Answered:
    question: Question
    began_s: float
    """Since the load began."""
    took_s: float
    """Without the time in which our own event loop, and the sidecar's, were kept from running by
    what else the machine does."""
    said: Said | None
    """`None`: nothing came back."""
    hung_up: bool = False
    """The pod did not wait for the answer."""


def schedule(
    lane: Lane, rate: Rate, seconds: float, luck: random.Random
) -> Sequence[tuple[float, Question]]:
    """When which question is asked: each kind evenly, all of them beginning at some moment."""
    planned: list[tuple[float, Question]] = []
    singles: tuple[Kind, ...] = ("account", "revenue", "disputes", "account")
    for number, at in enumerate(_moments(rate.singles, seconds, luck)):
        who = luck.randrange(CUSTOMERS)
        planned.append((at, lane.question(singles[number % len(singles)], who)))
    few: tuple[tuple[Kind, float], ...] = ("revenue", rate.batches), ("disputes", rate.disputes)
    planned += [
        (at, lane.question(kind, *_few(luck)))
        for kind, per_s in few
        for at in _moments(per_s, seconds, luck)
    ]
    for at in _moments(rate.wholes, seconds, luck):
        first = luck.randrange(0, CUSTOMERS - 200, 100)
        planned.append((at, lane.question("revenue", *range(first, first + 197), *[first] * 3)))
    return sorted(planned, key=lambda one: one[0])


def _moments(per_s: float, seconds: float, luck: random.Random) -> Iterator[float]:
    if per_s <= 0:
        return
    at = luck.random() * min(1 / per_s, seconds)
    while at < seconds:
        yield at
        at += 1 / per_s


def _few(luck: random.Random) -> Sequence[int]:
    first = luck.randrange(_COMPOSITIONS) * 5 * FEW  # of all kinds, and some of them in a dispute
    return range(first, first + FEW)


async def load(lane: Lane, planned: Sequence[tuple[float, Question]]) -> list[Answered]:
    """Asks all that was planned; ends with the last answer."""
    clock = asyncio.get_running_loop().time
    answered: list[Answered] = []
    began, sidecar = clock(), lane.world.sidecar
    with lateness() as late_s:

        async def ask(question: Question) -> None:
            asked_at, late, waited_s = clock(), late_s(), sidecar.kept_waiting_s()
            said, hung_up = None, False
            try:
                said = await lane.world.ask(question, lane.pod_patience_s)
            except TimeoutError:
                hung_up = True
            waited_s = max(0.0, sidecar.kept_waiting_s() - waited_s)  # it may be another by now
            took_s = clock() - asked_at - (late_s() - late) - waited_s
            answered.append(Answered(question, asked_at - began, took_s, said, hung_up))

        async with asyncio.TaskGroup() as asking:
            for at, question in planned:
                await asyncio.sleep(began + at - clock())
                if not lane.world.is_down:
                    asking.create_task(ask(question))
    return answered
