"""A rotation of the whole fleet: each member gets new credentials while its pod goes on asking."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from proxy.line import TAKE_UP_SPREAD_S
from tests.bench.fleet.member import Member, Surroundings
from tests.bench.fleet.outage import MIDDLE, Outcome, members_of, outcome_of
from tests.bench.fleet.plan import Plan
from tests.bench.fleet.question import Question

SETTLES_S = 10.0
"""Before the rotation begins."""
GOES_ON_S = 30.0
"""After the last has new credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """How it comes."""

    spread_s: float = 0.0
    """Between the first and the last who sees new files. A kubelet looks about once a minute, so
    60 to 90; whoever writes all files at once, 0."""
    load: float = 0.05
    """Of what the vendor can answer, asked for all the while."""


class Rotating:
    """One member's pod, and its change of credentials."""

    def __init__(
        self,
        around: Surroundings,
        member: Member,
        outcome: Outcome,
        luck: Callable[[], float],
    ) -> None:
        self._agenda = around.agenda
        self._luck = luck
        self._warm = around.plan.warm
        self._wire = around.plan.connection.wire
        self._member = member
        self._outcome = outcome

    def ask(self, customer: int) -> None:
        self._outcome.questions += 1
        self._outcome.customers_asked += 1
        self._member.ask([customer], self._heard)

    def see_new_files(self, _of: object) -> None:
        self._agenda.at(self._agenda.now + self._luck() * TAKE_UP_SPREAD_S, self._get_ready)

    def _get_ready(self, _of: object) -> None:
        """A token and sockets of its own, for one exchange's time at most; then these serve."""
        now, exchanges = self._agenda.now, self._member.exchanges
        ready_at, opened = exchanges.sockets.open_ahead(now, self._warm)
        late_at = now + self._wire.exchange_timeout
        still_lacks = {"token", "connections"}

        def has(what: str) -> None:
            still_lacks.discard(what)
            if not still_lacks:
                self._take_over(opened)

        exchanges.tokens.renew(lambda _has_token: has("token"))
        self._agenda.at(min(ready_at, late_at), lambda _: has("connections"))

    def _take_over(self, opened: int) -> None:
        self._member.exchanges.sockets.replace(self._agenda.now, opened=opened)

    def _heard(self, question: Question) -> None:
        if question.missed:
            self._outcome.degraded += 1
            self._outcome.customers_degraded += 1


def play(plan: Plan, rotation: Rotation) -> Outcome:
    """One run. Questions are about one customer each, of whom the cache knows nothing."""
    dice = random.Random(plan.seed)
    around = Surroundings(replace(plan, has_tokens=True, busy=True))
    outcome = outcome_of(around)
    luck: Callable[[], float] = dice.random if plan.jitter else lambda: MIDDLE
    members = members_of(around, dice)
    rotating = [Rotating(around, member, outcome, luck) for member in members]
    until = SETTLES_S + rotation.spread_s + GOES_ON_S
    load = rotation.load * plan.world.vendor_calls_per_s
    for customer in range(round(until * load)):
        asked = partial(_ask, dice.choice(rotating), customer)
        around.agenda.at(dice.random() * until, asked)
    for one in rotating:
        around.agenda.at(SETTLES_S + dice.random() * rotation.spread_s, one.see_new_files)
    around.agenda.run(until)
    outcome.events = around.agenda.happened
    return outcome


def _ask(one: Rotating, customer: int, _of: object) -> None:
    one.ask(customer)
