"""What is kept of customers: in one Redis for all, or in each member's memory."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from adapters.outcome import Found, LookupFailed, NotAsked, Reason
from proxy.cache import gather, keeper, redis_store, rules
from proxy.cache.rules import Entry, Lives, State
from proxy.guard.breaker import Breaker
from tests.bench.fleet.agenda import Agenda
from tests.bench.fleet.plan import Plan
from tests.bench.fleet.stations import Redis

SINCE_1970_MS = 1_700_000_000_000
"""When a run begins, on the wall."""
_ANSWER: Found[None] = Found(None)
_LATE = LookupFailed(Reason.UNREACHABLE, "the store did not answer in time")

Entries = dict[int, Entry[None]]


def on_the_wall(now: float) -> int:
    return SINCE_1970_MS + round(now * 1000)


class Store:
    """One member's way to what is kept."""

    def __init__(
        self,
        agenda: Agenda,
        plan: Plan,
        luck: Callable[[], float],
        *,
        redis: Redis | None,
        kept: Entries,
    ) -> None:
        """`kept` is everybody's where there is a Redis, else this member's own."""
        self._agenda = agenda
        self._luck = luck
        self._redis = redis
        self._kept = kept
        self._budget_s = plan.cache.read_budget
        self._early = plan.cache.early_refresh
        self._most_waiting = plan.cache.pending_writes
        self.lives = Lives.of(plan.cache)
        self._recent: Entries = {}
        self._queue: Entries = {}
        self._is_writing = False
        self._learned_at = 0.0
        self._breaker = Breaker("cache", gather.BREAKER, clock=agenda.clock, luck=luck)
        self.bypassed = 0

    def read(self, customers: Sequence[int]) -> tuple[float, list[int], list[int]]:
        """How long it took, of whom nothing fresh is kept, and who is due for a refresh."""
        now = self._agenda.now
        took_s, can_read = self._ask(now, len(customers))
        now_ms, lives, recent = on_the_wall(now), self.lives, self._recent
        kept = self._kept if can_read else {}
        unknown, due = [], []
        for customer in customers:
            entry = kept.get(customer) or recent.get(customer)
            if entry is None or rules.judge(entry, now_ms=now_ms, lives=lives) is not State.FRESH:
                unknown.append(customer)
            elif self._early and rules.is_due(entry, now_ms=now_ms, lives=lives, luck=self._luck()):
                due.append(customer)
        return took_s, unknown, due

    def keep(self, customer: int, asked_at: float) -> None:
        entry = rules.entry_of(
            _ANSWER,
            asked_at_ms=on_the_wall(asked_at),
            learned_at_ms=on_the_wall(self._agenda.now),
            lives=self.lives,
            luck=self._luck(),
        )
        if entry is None:
            return
        if self._redis is None:
            self._kept[customer] = entry
            return
        if len(self._queue) >= self._most_waiting:
            return
        self._recent[customer] = self._queue[customer] = entry
        self._learned_at = self._agenda.now
        if not self._is_writing:
            self._linger()

    def _ask(self, now: float, customers: int) -> tuple[float, bool]:
        if self._redis is None:
            return 0.0, True
        try:
            permit = self._breaker.permit()
        except NotAsked:
            self.bypassed += 1
            return 0.0, False
        took_s = self._redis.ask(now, 1, customers) - now
        if took_s > self._budget_s:
            permit.failure(took_s, _LATE)
            self.bypassed += 1
            return self._budget_s, False
        permit.success(took_s)
        return took_s, True

    def _linger(self) -> None:
        self._is_writing, now = True, self._agenda.now
        self._agenda.at(now + keeper.QUIET_S, self._look, now + keeper.LINGER_S)

    def _look(self, latest: float) -> None:
        due = min(self._learned_at + keeper.QUIET_S, latest)
        if self._agenda.now >= due or len(self._queue) >= keeper.AT_ONCE:
            self._write()
        else:
            self._agenda.at(due, self._look, latest)

    def _write(self) -> None:
        if not self._queue or self._redis is None:
            self._is_writing = False
            return
        batch = dict(islice(self._queue.items(), keeper.AT_ONCE))
        for customer in batch:
            del self._queue[customer]
        done_at = self._agenda.now
        for size in _parts(len(batch)):  # tombstones; then entries and tombstones
            done_at = self._redis.ask(done_at, 1, size)
            done_at = self._redis.ask(done_at, 1 + size, size)
        self._agenda.at(done_at, self._written, batch)

    def _written(self, batch: Entries) -> None:
        self._kept.update(batch)
        self._agenda.at(self._agenda.now + keeper.HOLD_S, self._let_go, batch)
        if self._queue and len(self._queue) < keeper.AT_ONCE:
            self._linger()
        else:
            self._write()

    def _let_go(self, batch: Entries) -> None:
        for customer, entry in batch.items():
            if self._recent.get(customer) is entry:
                del self._recent[customer]


def _parts(number: int) -> Iterable[int]:
    most = redis_store.PUTS_AT_ONCE
    return [min(most, number - start) for start in range(0, number, most)]
