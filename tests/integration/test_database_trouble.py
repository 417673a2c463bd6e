"""A PostgreSQL that is down, hung, full or restarted: what its guard makes of it.

What is asked is answered in time, with the right reason; the database is left alone, and is back
soon after it has recovered.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import event, text

from adapters.call import Call
from adapters.database import open_engine
from adapters.identity import PATIENCE, VendorIds
from adapters.identity_database import PedkaiDatabaseIdentity
from adapters.outcome import LookupFailed, NotAsked, Reason
from adapters.reader import Reader, Selection
from config import settings
from proxy.database_guard import DatabaseGuard, Role
from proxy.databases import Database
from proxy.guard.guard import Surroundings
from proxy.guard.slots import Slots
from tests.servers.patience import in_time, patiently
from tests.servers.pedkai import Customer, on_postgres
from tests.servers.postgres import NoPostgres, Postgres, hung, made_postgres, serving

TENANT = "acme_mobile"
ONE = Selection(text("SELECT 1"))
SLEEPY = Selection(text("SELECT pg_sleep(60)"))
POOL = 4
OPEN_S = 30.0
"""Longer than a breaker stays open the first time."""


class Ahead:
    """The loop's clock, which a test may put forward."""

    by = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.by


def soon(budget_s: float = 5.0) -> Call:
    deadline = asyncio.get_running_loop().time() + budget_s
    return Call(deadline=deadline, asked_at=datetime(2026, 3, 1, tzinfo=UTC))


class Stage:
    """A database under its guard, and how often somebody came to its door."""

    def __init__(self, url: str, role: Role) -> None:
        self.engine = open_engine(url, pool=POOL, connect_timeout_s=0.3)
        self.database = Database(Slots(POOL, queue_length=100), engine=self.engine)
        self.clock = Ahead()
        self.guard = DatabaseGuard(
            role, settings.Guard(), around=Surroundings(clock=self.clock, luck=lambda: 0.5)
        )
        self.connects = 0
        event.listen(self.engine.sync_engine, "do_connect", self._count)

    def _count(self, *_: object) -> None:
        self.connects += 1

    @property
    def reader(self) -> Reader:
        reader = self.guard.reader(self.database)
        assert reader is not None
        return reader

    @property
    def state(self) -> str:
        return self.guard.breaker.status().state

    async def read(self, budget_s: float = 5.0) -> object:
        return [tuple(row) for row in await self.reader.read(ONE, soon(budget_s))]

    async def why_not(self, budget_s: float = 0.45, selection: Selection = ONE) -> LookupFailed:
        """Why a read failed, and that it failed in time."""
        begun = asyncio.get_running_loop().time()
        with pytest.raises(LookupFailed) as caught:
            await self.reader.read(selection, soon(budget_s))
        in_time(asyncio.get_running_loop().time() - begun, budget_s + 0.1)
        return caught.value

    async def fail_until_left_alone(self, budget_s: float = 0.45) -> set[Reason]:
        """The reasons that were heard until the breaker opened."""
        heard: set[Reason] = set()
        for _ in range(20):
            found = await asyncio.gather(*(self.why_not(budget_s) for _ in range(POOL)))
            heard |= {one.reason for one in found if not isinstance(one, NotAsked)}
            if self.state == "open":
                return heard
        raise AssertionError(f"not open after {heard}")

    async def is_left_alone(self) -> None:
        """Who asks is answered at once, and nobody comes to its door."""
        connects, begun = self.connects, asyncio.get_running_loop().time()
        found = await asyncio.gather(*(self.why_not() for _ in range(100)))
        assert {(type(one), one.reason) for one in found} == {(NotAsked, Reason.BREAKER_OPEN)}
        assert self.connects == connects
        in_time(asyncio.get_running_loop().time() - begun, 0.1)

    async def comes_back(self) -> None:
        self.clock.by += OPEN_S
        assert self.state == "half_open"
        assert await self.read() == [(1,)]
        assert self.state == "closed"
        nothing_is_held(self)


def nothing_is_held(stage: Stage) -> None:
    assert stage.database.slots.taken == stage.database.slots.waiting == 0
    assert stage.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


@asynccontextmanager
async def guarded(server: Postgres, role: Role = "database") -> AsyncIterator[Stage]:
    stage = Stage(server.url(), role)
    try:
        yield stage
    finally:
        await stage.engine.dispose()


@pytest.fixture(scope="module")
def idle() -> Iterator[Postgres]:
    """A server of these tests alone, not running yet."""
    try:
        with made_postgres() as server:
            yield server
    except NoPostgres as absent:
        pytest.skip(str(absent))


@patiently
async def test_a_database_that_is_down_is_left_alone_and_comes_back(idle: Postgres) -> None:
    async with guarded(idle) as stage:
        assert await stage.fail_until_left_alone() == {Reason.UNREACHABLE}
        assert stage.connects <= 10 + 2 * POOL
        await stage.is_left_alone()
        with serving(idle):
            await stage.comes_back()


@patiently
async def test_a_database_that_hangs_is_left_alone_and_comes_back(postgres: Postgres) -> None:
    """Connections from better times answer no more, and newcomers are not let in."""
    async with guarded(postgres) as stage:
        await asyncio.gather(*(stage.read() for _ in range(POOL)))
        with hung(postgres):
            assert (await stage.why_not()).reason is Reason.DEADLINE
            heard = await stage.fail_until_left_alone()
            assert heard <= {Reason.UNREACHABLE, Reason.DEADLINE}
            await stage.is_left_alone()
        await stage.comes_back()


@patiently
async def test_an_identity_database_that_hangs_for_singles_is_left_alone_and_comes_back(
    postgres: Postgres,
) -> None:
    """They give it a third of their time, which is less than a connect timeout."""
    async with guarded(postgres, "identity") as stage:
        with hung(postgres):
            heard = await stage.fail_until_left_alone(budget_s=0.45 * PATIENCE)
            assert heard == {Reason.DEADLINE}
            await stage.is_left_alone()
        await stage.comes_back()


@patiently
async def test_a_database_whose_connections_others_hold_is_left_alone_and_comes_back(
    postgres: Postgres,
) -> None:
    async with guarded(postgres) as stage:
        async with AsyncExitStack() as others:
            with suppress(asyncpg.TooManyConnectionsError):
                while True:
                    other = await asyncpg.connect(
                        host=str(postgres.folder), user="pedkai", database="postgres"
                    )
                    others.push_async_callback(other.close)
            assert await stage.fail_until_left_alone() == {Reason.OVERLOAD}
            await stage.is_left_alone()
        await stage.comes_back()


async def test_a_restart_costs_nobody_an_answer(idle: Postgres) -> None:
    """All connections of before are cut; who finds a cut one gets another."""
    async with guarded(idle) as stage:
        with serving(idle):
            await asyncio.gather(*(stage.read() for _ in range(POOL)))
        with serving(idle):
            answers = await asyncio.gather(*(stage.read() for _ in range(5 * POOL)))
            assert answers == [[(1,)]] * (5 * POOL)
        assert stage.state == "closed"
        nothing_is_held(stage)


@patiently
async def test_who_waits_for_a_slot_holds_nothing_against_the_database(
    postgres: Postgres,
) -> None:
    """Nobody waits within the pool, where time would count against the database."""
    async with guarded(postgres) as stage, asyncio.TaskGroup() as tasks:
        long = [tasks.create_task(stage.reader.read(SLEEPY, soon(60))) for _ in range(POOL)]
        await asyncio.sleep(0)  # each of them has its slot
        assert stage.database.slots.taken == POOL
        begun = asyncio.get_running_loop().time()
        short = (stage.reader.read(ONE, soon(0.1)) for _ in range(50))
        found = await asyncio.gather(*short, return_exceptions=True)
        took_s = asyncio.get_running_loop().time() - begun
        heard = {(type(one), getattr(one, "reason", None)) for one in found}
        assert heard == {(NotAsked, Reason.DEADLINE)}
        assert stage.guard.breaker.status().calls == 0
        for one in long:
            one.cancel()
        await asyncio.wait(long)
        nothing_is_held(stage)
    in_time(took_s, 0.2)


@patiently
async def test_those_who_are_remembered_go_on_while_the_identity_database_is_left_alone(
    postgres: Postgres,
) -> None:
    ann, ben = (Customer(uuid4(), TENANT, vendor_id) for vendor_id in ("8001", "8002"))
    await (await on_postgres(postgres)).fill(ann, ben)
    async with guarded(postgres, "identity") as stage:
        ids = PedkaiDatabaseIdentity(stage.reader, TENANT)
        assert await ids.vendor_ids([ann.id], soon()) == VendorIds({ann.id: "8001"})
        some = VendorIds({ann.id: "8001"}, frozenset({ben.id}))
        with hung(postgres):
            while stage.state != "open":
                singles = (ask(ids, [ann.id, ben.id]) for _ in range(POOL))
                assert await asyncio.gather(*singles) == [some] * POOL
            begun = asyncio.get_running_loop().time()
            assert await ids.vendor_ids([ann.id, ben.id], soon(0.45)) == some
            in_time(asyncio.get_running_loop().time() - begun, 0.05)
            assert ids.problem is not None
            assert ids.problem.reason is Reason.BREAKER_OPEN
        stage.clock.by += OPEN_S
        both = VendorIds({ann.id: "8001", ben.id: "8002"})
        assert await ids.vendor_ids([ann.id, ben.id], soon()) == both
        assert stage.state == "closed"


async def ask(ids: PedkaiDatabaseIdentity, customer_ids: list[UUID]) -> VendorIds:
    """A question about one customer: two thirds of its budget stay for the vendor."""
    call = soon(0.45)
    found = await ids.vendor_ids(customer_ids, call)
    in_time(0.45 - call.remaining_s(asyncio.get_running_loop().time()), 0.25)
    return found
