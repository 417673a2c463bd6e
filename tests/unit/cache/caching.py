"""A vendor by script, and sidecars whose caches share a store, on a clock that leaps."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from uuid import UUID

from adapters.call import Call
from adapters.lookup import LookupAdapter, collect
from adapters.outcome import (
    Billing,
    Dispute,
    Found,
    Learn,
    Lookup,
    LookupFailed,
)
from proxy.cache.envelope import Envelopes
from proxy.cache.gather import DirectReads, Reads
from proxy.cache.keys import KeyRings
from proxy.cache.layer import Cache
from proxy.cache.means import Means
from proxy.cache.memory import MemoryStore
from proxy.cache.names import Question
from proxy.cache.rules import Lives
from proxy.cache.seal import Refused
from proxy.cache.store import Put, Store, StoreFacts, StoreFailed
from proxy.cache.tally import Tally
from proxy.cache.vault import Vault
from proxy.cache.witness import Dropped, Nobody
from proxy.lifecycle import Tasks
from tests.servers.leaping import LeapingClock

LIVES = Lives(ttl_ms=30_000, negative_ttl_ms=5_000)
TENANT, CONNECTION = "acme_uk", "amdocs_uk"


def billing(fee: str = "10.00") -> Found[Billing]:
    return Found(Billing(plan_name="Plan", monthly_fee=Decimal(fee), currency="GBP"))


class Vendor(LookupAdapter):
    """Says what it is told to say, and counts who was asked about."""

    source = "vendor"

    def __init__(self) -> None:
        self.billings: dict[UUID, Lookup[Billing]] = {}
        self.disputes: dict[UUID, Lookup[Dispute]] = {}
        self.asked: Counter[UUID] = Counter()
        self.questions = 0
        self.calls: list[Call] = []
        self.fails: LookupFailed | None = None
        """Raised when everybody who has an answer got it."""
        self.opened = asyncio.Event()
        self.opened.set()
        """Answers only while it is set."""
        self.price: Callable[[UUID], Lookup[Billing]] = lambda _: billing()

    def hold(self) -> None:
        self.opened.clear()

    def let_go(self) -> None:
        self.opened.set()

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        await self._begin(customer_ids, call)
        for one in customer_ids:
            learn(one, self.billings[one] if one in self.billings else self.price(one))
        self._end()

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        await self._begin(customer_ids, call)
        for one in customer_ids:
            learn(one, self.disputes.get(one, Found(Dispute(active=True))))
        self._end()

    async def _begin(self, customer_ids: Sequence[UUID], call: Call) -> None:
        self.questions += 1
        self.calls.append(call)
        self.asked.update(customer_ids)
        await self.opened.wait()

    def _end(self) -> None:
        if self.fails is not None:
            raise self.fails


class Counts(Nobody):
    """What a cache told its witness."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()
        self.looks: list[tuple[str, Question]] = []

    def looked(self, connection: str, question: Question, tally: Tally, took_s: float) -> None:
        self.looks.append((connection, question))
        assert took_s >= 0

    def stood_in(self, connection: str, question: Question) -> None:
        self.of["stood_in"] += 1

    def refused(self, why: Refused) -> None:
        self.of[f"refused {why}"] += 1

    def bypassed(self, why: str) -> None:
        self.of[f"bypassed {why}"] += 1

    def written(self, entries: int, took_s: float) -> None:
        self.of["written"] += entries

    def dropped(self, entries: int, why: Dropped) -> None:
        self.of[f"dropped {why}"] += entries

    def refreshed(self, renewed: int, failed: int) -> None:
        self.of["renewed"] += renewed
        self.of["not renewed"] += failed

    def broke(self, what: str) -> None:
        self.of[f"broke {what}"] += 1


class HeldStore:
    """A store whose steps wait for leave, so that a test can put things in between."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Event()
        self.fails: Exception | None = None
        self.fails_after: int | None = None
        """So many steps that still work."""

    def hold(self) -> None:
        self.gate.clear()
        self.arrived.clear()

    async def get_many(self, names: Sequence[bytes]) -> Sequence[bytes | None]:
        await self._pass()
        return await self.store.get_many(names)

    async def put_many(self, entries: Sequence[Put]) -> None:
        await self._pass()
        await self.store.put_many(entries)

    async def forget(
        self, names: Sequence[bytes], tombstones: Sequence[bytes], ttl_s: float
    ) -> None:
        await self._pass()
        await self.store.forget(names, tombstones, ttl_s)

    async def facts(self) -> StoreFacts:
        return await self.store.facts()

    async def aclose(self) -> None:
        await self.store.aclose()

    async def _pass(self) -> None:
        self.arrived.set()
        await self.gate.wait()
        if self.fails is not None:
            raise self.fails
        if self.fails_after is not None:
            self.fails_after -= 1
            if self.fails_after < 0:
                raise StoreFailed("refused")


class Sidecar:
    """One process: a vault, and a desk over a vendor."""

    def __init__(
        self,
        clock: LeapingClock,
        store: Store,
        rings: KeyRings,
        *,
        lives: Lives = LIVES,
        vendor: Vendor | None = None,
        reads: Reads | None = None,
        pending_writes: int = 5_000,
        early_refresh: bool = False,
        luck: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.clock = clock
        self.store = store
        self.lost: list[BaseException] = []
        self.tasks = Tasks(self.lost.append)
        self.told = Counts()
        self.vault = Vault(
            Means(Envelopes(rings), reads or DirectReads(store), store),
            lives,
            spawn=self.tasks.spawn,
            pending_writes=pending_writes,
            early_refresh=early_refresh,
            witness=self.told,
            luck=luck,
        )
        self.vendor = vendor or Vendor()
        self.cache = self.desk(TENANT, CONNECTION, self.vendor)
        self.tally = Tally()
        """Of the last question."""

    def desk(self, tenant: str, connection: str, inner: LookupAdapter) -> Cache:
        return Cache(inner, tenant=tenant, connection=connection, vault=self.vault)

    def call(self, budget_s: float = 1.9, *, is_batch: bool = False) -> Call:
        self.tally = Tally()
        return Call(
            deadline=asyncio.get_running_loop().time() + budget_s,
            asked_at=self.clock.wall(),
            tenant=TENANT,
            is_batch=is_batch,
            tally=self.tally,
        )

    async def ask(self, *customer_ids: UUID) -> dict[UUID, Lookup[Billing]]:
        """What is said, once it is written."""
        call = self.call(is_batch=len(customer_ids) > 1)
        answer = await collect(self.cache.look_up_billing, customer_ids, call)
        await self.vault.keeper.written()
        return answer

    async def ask_disputes(self, *customer_ids: UUID) -> dict[UUID, Lookup[Dispute]]:
        answer = await collect(self.cache.look_up_disputes, customer_ids, self.call())
        await self.vault.keeper.written()
        return answer

    async def only_the_store_knows(self) -> None:
        """What was written is no longer known from memory."""
        await self.vault.keeper.written()
        self.clock.leap(0.2)
        await turns()

    async def aclose(self) -> None:
        await self.vault.aclose()
        await self.tasks.cancel()
        assert self.lost == []


async def turns(count: int = 10) -> None:
    """Of the event loop."""
    for _ in range(count):
        await asyncio.sleep(0)


def memory(clock: LeapingClock) -> MemoryStore:
    return MemoryStore(entries=100_000, size=64 * 1024 * 1024, clock=clock.loop_time)
