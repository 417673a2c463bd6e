"""One sidecar of the fleet, as others feel it: cache, coalescing, identity, exchanges."""

from collections.abc import Callable, Sequence
from math import ceil

from adapters.identity_database import Remembered
from adapters.lookup import BATCH_BUDGET_S
from adapters.outcome import LookupFailed
from proxy.cache.refresh import MOST
from proxy.lookup.fail_open import HEAD_START_S
from tests.bench.fleet.agenda import Agenda
from tests.bench.fleet.exchanges import Exchanges
from tests.bench.fleet.plan import Plan
from tests.bench.fleet.question import Exchange, OnEnd, Question
from tests.bench.fleet.stations import Redis, Series, Station, Vendor
from tests.bench.fleet.store import Entries, Store


class Surroundings:
    """What all members have in common."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.agenda = Agenda()
        self.vendor = Vendor(plan.world)
        self.redis = Redis(plan.world)
        self.identity_queries = Series()
        self.kept: Entries = {}
        cores = plan.world.cores
        self.cores = Station(float(cores), servers=cores) if cores else None


class Loop(Station):
    """An event loop, which needs a core as well where these are few. Work is in seconds."""

    __slots__ = ("_cores",)

    def __init__(self, cores: Station | None) -> None:
        super().__init__(1.0)
        self._cores = cores

    def done_at(self, now: float, work: float = 1.0) -> float:
        done = super().done_at(now, work)
        return done if self._cores is None else max(done, self._cores.done_at(now, work))


class Member:
    """Asked by its pod, it asks the vendor."""

    def __init__(self, around: Surroundings, luck: Callable[[], float]) -> None:
        plan = self._plan = around.plan
        self._agenda, self._around = around.agenda, around
        self.store = Store(
            around.agenda,
            plan,
            luck,
            redis=around.redis if plan.shared_cache else None,
            kept=around.kept if plan.shared_cache else {},
        )
        self.exchanges = Exchanges(
            around.agenda,
            around.vendor,
            plan,
            luck,
            loop=Loop(around.cores),
            on_reply=self._replied,
        )
        identity = plan.connection.identity
        self._mapped: Remembered = Remembered(identity.remember, identity.remember_customers)
        self._flights: dict[int, list[Question]] = {}
        self._refreshing: set[int] = set()
        self._together = plan.together
        self._at_once = 2 * plan.connection.wire.concurrency
        if plan.warm:
            self.exchanges.sockets.begin_warm()
        if plan.has_tokens and (plan.warm or plan.busy):
            self.exchanges.tokens.begin_with_one()

    def ask(self, customers: Sequence[int], on_end: OnEnd) -> None:
        """`on_end` gets the question when it is answered, whole or not."""
        now, deadlines = self._agenda.now, self._plan.deadlines
        budget_s = deadlines.batch if len(customers) > 1 else deadlines.single
        deadline = now + budget_s - min(HEAD_START_S, budget_s / 10)
        question = Question(customers, asked_at=now, deadline=deadline, on_end=on_end)
        took_s, unknown, due = self.store.read(customers)
        question.left = len(unknown)
        if due:
            self._refresh(due)
        if not unknown:
            self._end(question)
            return
        self._agenda.at(deadline, self._end, question)
        took_s += self._map(unknown)
        self._share(question, unknown)
        self._agenda.at(now + took_s, self._go_on, question)

    def _map(self, customers: Sequence[int]) -> float:
        """How long it takes to learn the vendor's ids."""
        if not self._plan.identity_queries:
            return 0.0
        now, mapped = self._agenda.now, self._mapped
        ids: Sequence[object] = customers
        if len(mapped.of(ids, now)) == len(customers):  # type: ignore[arg-type]  # numbers do as ids
            return 0.0
        self._around.identity_queries.add(now)
        mapped.keep(dict.fromkeys(customers, ""), now)  # type: ignore[arg-type]  # numbers do as ids
        return self._plan.world.identity_s

    def _share(self, question: Question, customers: Sequence[int]) -> None:
        """Who is being asked about already is waited for."""
        flights, most = self._flights, self._plan.limits.customers_in_flight
        refused = []
        for customer in customers:
            waiting = flights.get(customer)
            if waiting is not None:
                waiting.append(question)
                leader = waiting[0]
                leader.may_last_until = max(leader.may_last_until, question.deadline)
            elif len(flights) >= most:
                refused.append(customer)
            else:
                flights[customer] = [question]
                question.todo.append(customer)
        for customer in refused:
            self._miss(question, customer)

    def _refresh(self, due: Sequence[int]) -> None:
        room = MOST - len(self._refreshing)
        customers = [one for one in due if one not in self._refreshing][: max(0, room)]
        if not customers:
            return
        self._refreshing.update(customers)
        now = self._agenda.now
        question = Question(
            customers,
            asked_at=now,
            deadline=now + BATCH_BUDGET_S,
            on_end=self._refreshed,
            is_early=True,
        )
        question.left = len(customers)
        self._agenda.at(question.deadline, self._end, question)
        took_s = self._map(customers)
        self._share(question, customers)
        self._agenda.at(now + took_s, self._go_on, question)

    def _refreshed(self, question: Question) -> None:
        self._refreshing.difference_update(question.customers)

    def _go_on(self, question: Question) -> None:
        """As many at once as keep every slot busy."""
        if question.is_going_on:
            return
        question.is_going_on = True
        todo, now = question.todo, self._agenda.now
        while todo and question.asking < self._at_once:
            if now >= question.may_last_until:
                self._abandon(question)
                break
            most = min(self._together, len(todo))
            if self.exchanges.refuses(ceil(len(todo) / most)):
                self._abandon(question)
                break
            question.asking += 1
            self.exchanges.begin(Exchange([todo.popleft() for _ in range(most)], question))
        question.is_going_on = False

    def _abandon(self, question: Question) -> None:
        while question.todo:
            self._tell(question.todo.popleft(), found=False)

    def _replied(self, exchange: Exchange, failure: LookupFailed | None) -> None:
        question = exchange.of
        for customer in exchange.customers:
            if failure is None:
                self.store.keep(customer, question.asked_at)
            self._tell(customer, found=failure is None)
        question.asking -= 1
        if question.todo:
            self._go_on(question)

    def _tell(self, customer: int, *, found: bool) -> None:
        for question in self._flights.pop(customer, ()):
            if question.is_over:
                continue
            if found:
                question.left -= 1
                if not question.left:
                    self._end(question)
            else:
                self._miss(question, customer)

    def _miss(self, question: Question, customer: int) -> None:
        question.missed.append(customer)
        question.left -= 1
        if not question.left:
            self._end(question)

    def _end(self, question: Question) -> None:
        """Answered in full, or at its deadline with what is known by then."""
        if question.is_over:
            return
        question.is_over = True
        if question.left:
            flights = self._flights
            question.missed += [one for one in question.customers if _waits(flights, one, question)]
            if question.may_last_until <= self._agenda.now:
                self._abandon(question)
        question.on_end(question)


def _waits(flights: dict[int, list[Question]], customer: int, question: Question) -> bool:
    waiting = flights.get(customer)
    return waiting is not None and question in waiting
