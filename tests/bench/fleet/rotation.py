"""A rotation of the whole fleet: each member gets new credentials while its pod goes on asking."""

import random
from dataclasses import dataclass, replace
from functools import partial

from tests.bench.fleet.member import Member, Surroundings
from tests.bench.fleet.outage import Outcome, members_of, outcome_of
from tests.bench.fleet.plan import Plan
from tests.bench.fleet.question import Question

SETTLES_S = 20.0
"""Before the rotation begins."""
GOES_ON_S = 60.0
"""After the last has new credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """How it comes."""

    spread_s: float = 0.0
    """Between the first and the last who sees new files. A kubelet looks about once a minute, so
    60 to 90; whoever writes all files at once, 0."""
    load: float = 0.4
    """Of what the vendor can answer, asked for all the while."""


class Rotating:
    """One member's pod, and its change of credentials."""

    def __init__(self, around: Surroundings, member: Member, outcome: Outcome) -> None:
        self._agenda = around.agenda
        self._wire = around.plan.connection.wire
        self._member = member
        self._outcome = outcome

    def ask(self, customer: int) -> None:
        self._outcome.questions += 1
        self._outcome.customers_asked += 1
        self._member.ask([customer], self._heard)

    def rotate(self, _of: object) -> None:
        """A token of its own first, for one exchange's time at most, then sockets of its own."""
        tokens = self._member.exchanges.tokens
        takes_over = [False]

        def take_over(_has_token: object) -> None:
            if not takes_over[0]:
                takes_over[0] = True
                self._replace()

        tokens.renew(take_over)
        self._agenda.at(self._agenda.now + self._wire.exchange_timeout, take_over)

    def _replace(self) -> None:
        sockets = self._member.exchanges.sockets
        sockets.replace(self._agenda.now)
        sockets.warm_up(self._agenda.now)

    def _heard(self, question: Question) -> None:
        if question.missed:
            self._outcome.degraded += 1
            self._outcome.customers_degraded += 1


def play(plan: Plan, rotation: Rotation) -> Outcome:
    """One run. Questions are about one customer each, of whom the cache knows nothing."""
    dice = random.Random(plan.seed)
    around = Surroundings(replace(plan, has_tokens=True))
    outcome = outcome_of(around)
    members = members_of(around, dice)
    rotating = [Rotating(around, member, outcome) for member in members]
    until = SETTLES_S + rotation.spread_s + GOES_ON_S
    load = rotation.load * plan.world.vendor_calls_per_s
    for customer in range(round(until * load)):
        asked = partial(_ask, dice.choice(rotating), customer)
        around.agenda.at(dice.random() * until, asked)
    for one in rotating:
        around.agenda.at(SETTLES_S + dice.random() * rotation.spread_s, one.rotate)
    around.agenda.run(until)
    outcome.events = around.agenda.happened
    return outcome


def _ask(one: Rotating, customer: int, _of: object) -> None:
    one.ask(customer)
