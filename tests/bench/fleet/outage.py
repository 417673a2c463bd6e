"""An outage that hits all customers at once: what the pods ask, and what comes of it."""

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import ceil

from tests.bench.fleet.member import Member, Surroundings
from tests.bench.fleet.plan import Demand, Plan
from tests.bench.fleet.question import Question
from tests.bench.fleet.stations import Series

MIDDLE = 0.5
"""What chance comes to for everybody where there is no jitter."""


@dataclass(slots=True)
class Outcome:
    """What one run came to."""

    plan: Plan
    calls: Series
    tokens: Series
    handshakes: Series
    connections: Series
    refused: Series
    turned_away: Series
    redis_ops: Series
    identity_queries: Series
    questions: int = 0
    """The first time they were asked."""
    degraded: int = 0
    """Of these."""
    customers_asked: int = 0
    customers_degraded: int = 0
    """In the first answers."""
    whole_at: list[float] = field(default_factory=list)
    """When each question had its first whole answer."""
    last_answered_s: float = 0.0
    """Since the beginning: when there was an answer about the last customer who got one."""
    never_answered: int = 0
    """Customers about whom nobody ever could say."""
    bypassed: int = 0
    """Reads for which Redis was too slow, or left alone."""
    retried: int = 0
    events: int = 0

    @property
    def share_degraded(self) -> float:
        """Of the first answers, those that were not whole."""
        return self.degraded / self.questions if self.questions else 0.0

    @property
    def share_of_customers_degraded(self) -> float:
        asked = self.customers_asked
        return self.customers_degraded / asked if asked else 0.0


def outcome_of(around: Surroundings) -> Outcome:
    vendor = around.vendor
    return Outcome(
        plan=around.plan,
        calls=vendor.calls,
        tokens=vendor.tokens,
        handshakes=vendor.handshakes,
        connections=vendor.connections,
        refused=vendor.refused,
        turned_away=vendor.turned_away,
        redis_ops=around.redis.ops,
        identity_queries=around.identity_queries,
    )


def members_of(around: Surroundings, dice: random.Random) -> list[Member]:
    plan = around.plan
    luck: Callable[[], float] = dice.random if plan.jitter else lambda: MIDDLE
    return [Member(around, luck) for _ in range(plan.sidecars)]


def batch_size(demand: Demand, sidecars: int) -> int:
    """So that every pod has something to ask."""
    return max(1, min(demand.batch, ceil(demand.customers * demand.asked_by / sidecars)))


def dealt(demand: Demand, pods: int, dice: random.Random) -> list[list[list[int]]]:
    """What each pod asks. Each customer is in `asked_by` batches, at different pods if there are
    so many.
    """
    size, turn = batch_size(demand, pods), 0
    questions: list[list[list[int]]] = [[] for _ in range(pods)]
    for _ in range(demand.asked_by):
        numbers = list(range(demand.customers))
        dice.shuffle(numbers)
        for start in range(0, demand.customers, size):
            questions[turn % pods].append(numbers[start : start + size])
            turn += 1
    for _ in range(round(turn * demand.singles)):
        dice.choice(questions).append([dice.randrange(demand.customers)])
    return questions


@dataclass(slots=True, eq=False)
class Pod:
    """One that asks its member, a few questions at a time."""

    member: Member
    to_ask: deque[tuple[list[int], bool]] = field(default_factory=deque)
    """Customers, and whether it is the first time."""
    asking: int = 0


class Pods:
    """Ask all members. Whoever hears a degraded answer asks again in a while."""

    def __init__(self, around: Surroundings, outcome: Outcome, dice: random.Random) -> None:
        self._demand = around.plan.demand
        self._agenda = around.agenda
        self._outcome = outcome
        self._dice = dice
        self._unanswered = bytearray(b"\1" * self._demand.customers)
        self._unanswered_count = self._demand.customers

    def set_out(self, members: list[Member]) -> None:
        """They begin soon after one another."""
        pods = [Pod(member) for member in members]
        for pod, questions in zip(pods, dealt(self._demand, len(pods), self._dice), strict=True):
            for customers in questions:
                self._plan(pod, customers)
        for pod in pods:
            self._agenda.at(self._dice.random() * self._demand.within_s, self._go_on, pod)

    def finish(self) -> None:
        self._outcome.never_answered = self._unanswered_count

    def _plan(self, pod: Pod, customers: list[int]) -> None:
        self._outcome.questions += 1
        self._outcome.customers_asked += len(customers)
        pod.to_ask.append((customers, True))

    def _go_on(self, pod: Pod) -> None:
        while pod.to_ask and pod.asking < self._demand.at_once:
            customers, is_first = pod.to_ask.popleft()
            pod.asking += 1
            pod.member.ask(customers, partial(self._heard, pod, is_first=is_first))

    def _heard(self, pod: Pod, question: Question, *, is_first: bool) -> None:
        now, outcome = self._agenda.now, self._outcome
        pod.asking -= 1
        self._agenda.at(now, self._go_on, pod)
        self._note(question, now)
        if not question.missed:
            outcome.whole_at.append(now)
            return
        if is_first:
            outcome.degraded += 1
            outcome.customers_degraded += len(question.missed)
        demand = self._demand
        again_at = now + demand.again_s * (0.5 + self._dice.random())
        if demand.again_s and again_at < demand.again_until_s:
            self._agenda.at(again_at, partial(self._again, pod, list(question.customers)))

    def _again(self, pod: Pod, customers: list[int], _of: object) -> None:
        pod.to_ask.append((customers, False))
        self._go_on(pod)

    def _note(self, question: Question, now: float) -> None:
        unanswered, missed = self._unanswered, set(question.missed)
        for customer in question.customers:
            if unanswered[customer] and customer not in missed:
                unanswered[customer] = 0
                self._unanswered_count -= 1
                self._outcome.last_answered_s = now


def play(plan: Plan) -> Outcome:
    """One run, to its end. The same plan gives the same outcome."""
    dice = random.Random(plan.seed)
    around = Surroundings(plan)
    members = members_of(around, dice)
    outcome = outcome_of(around)
    pods = Pods(around, outcome, random.Random(plan.seed + 1))
    pods.set_out(members)
    around.agenda.run(plan.demand.again_until_s + 30)
    pods.finish()
    outcome.bypassed = sum(member.store.bypassed for member in members)
    outcome.retried = sum(member.exchanges.retried for member in members)
    outcome.events = around.agenda.happened
    return outcome
