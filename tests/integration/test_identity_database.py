"""Vendor ids from Pedkai's `customers.external_id`, on a real PostgreSQL and on SQLite."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.call import Call
from adapters.database import EngineReader, open_engine
from adapters.identity import VendorIds
from adapters.identity_database import PedkaiDatabaseIdentity
from adapters.outcome import Reason
from tests.servers.hung import FreezingProxy, freezing_proxy
from tests.servers.pedkai import Customer, PedkaiDatabase, on_postgres, on_sqlite
from tests.servers.postgres import Postgres

TENANT = "acme_mobile"
RIVAL = "rival_telecom"
CANARY = "canary-0815"


def soon(budget_s: float = 10.0) -> Call:
    deadline = asyncio.get_running_loop().time() + budget_s
    return Call(deadline=deadline, asked_at=datetime(2026, 3, 1, tzinfo=UTC))


def named(vendor_id: str, tenant: str = TENANT) -> Customer:
    return Customer(uuid4(), tenant, vendor_id)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url, pool=2, connect_timeout_s=1.0)
    try:
        yield engine
    finally:
        await engine.dispose()


def ids_on(engine: AsyncEngine, **options: Any) -> PedkaiDatabaseIdentity:
    return PedkaiDatabaseIdentity(EngineReader(engine), TENANT, **options)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        sent.append(sql)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine.sync_engine, "before_cursor_execute", note)


async def test_the_vendors_id_is_the_external_id(pedkai: PedkaiDatabase) -> None:
    ann, ben = named("8001"), named(" 8002")
    await pedkai.fill(ann, ben)
    async with opened(pedkai.url) as engine:
        ids = ids_on(engine)
        stranger = uuid4()
        found = await ids.vendor_ids([ann.id, ben.id, stranger], soon())
        assert ids.problem is None
    assert found == VendorIds({ann.id: "8001", ben.id: " 8002"})
    assert {type(one) for one in found.known} == {UUID}


async def test_another_tenants_customer_has_no_mapping(pedkai: PedkaiDatabase) -> None:
    theirs = named("8001", RIVAL)
    await pedkai.fill(theirs)
    async with opened(pedkai.url) as engine:
        found = await ids_on(engine).vendor_ids([theirs.id], soon())
    assert found == VendorIds({})


async def test_a_blank_external_id_is_no_mapping(pedkai: PedkaiDatabase) -> None:
    blank = named(" ")
    await pedkai.fill(blank)
    async with opened(pedkai.url) as engine:
        found = await ids_on(engine).vendor_ids([blank.id], soon())
    assert found == VendorIds({})


async def test_a_batch_is_one_statement_for_those_who_are_not_remembered(
    pedkai: PedkaiDatabase,
) -> None:
    people = [named(f"{number}") for number in range(5_000)]
    await pedkai.fill(*people)
    everybody = [one.id for one in people]
    async with opened(pedkai.url) as engine:
        ids = ids_on(engine)
        await ids.vendor_ids(everybody[:100], soon())
        with statements(engine) as sent:
            found = await ids.vendor_ids(everybody, soon())
            again = await ids.vendor_ids(everybody, soon())
    assert len(sent) == 1
    assert found == again == VendorIds({one.id: one.external_id for one in people})


async def test_a_mapping_is_read_again_when_it_is_no_longer_remembered(
    pedkai: PedkaiDatabase,
) -> None:
    clock, ann = Clock(), named("8001")
    await pedkai.fill(ann)
    async with opened(pedkai.url) as engine:
        ids = ids_on(engine, remember_s=300, clock=clock)
        await ids.vendor_ids([ann.id], soon())
        with statements(engine) as sent:
            clock.now = 299.0
            await ids.vendor_ids([ann.id], soon())
            assert sent == []
            clock.now = 300.0
            assert await ids.vendor_ids([ann.id], soon()) == VendorIds({ann.id: "8001"})
    assert len(sent) == 1


async def test_a_customer_who_gets_a_mapping_has_it_at_once(pedkai: PedkaiDatabase) -> None:
    """That there was none is not remembered."""
    late = named("8001")
    async with opened(pedkai.url) as engine:
        ids = ids_on(engine)
        assert await ids.vendor_ids([late.id], soon()) == VendorIds({})
        await pedkai.fill(late)
        assert await ids.vendor_ids([late.id], soon()) == VendorIds({late.id: "8001"})


async def test_a_forgotten_customer_is_read_again(pedkai: PedkaiDatabase) -> None:
    ann = named("8001")
    await pedkai.fill(ann)
    async with opened(pedkai.url) as engine:
        ids = ids_on(engine)
        await ids.vendor_ids([ann.id], soon())
        ids.forget(ann.id)
        with statements(engine) as sent:
            await ids.vendor_ids([ann.id], soon())
    assert len(sent) == 1


@asynccontextmanager
async def behind_a_proxy(
    server: Postgres, folder: Path
) -> AsyncIterator[tuple[FreezingProxy, PedkaiDatabaseIdentity]]:
    url = f"postgresql://pedkai@/postgres?host={folder}&port=6000"
    sockets = (server.folder / ".s.PGSQL.5432", folder / ".s.PGSQL.6000")
    async with freezing_proxy(*sockets) as proxy, opened(url) as engine:
        yield proxy, ids_on(engine)


async def test_with_the_database_silent_those_who_are_remembered_go_on_within_the_budget(
    postgres: Postgres, tmp_path: Path
) -> None:
    database = await on_postgres(postgres)
    ann, ben = named("8001"), named("8002")
    await database.fill(ann, ben)
    async with behind_a_proxy(postgres, tmp_path) as (proxy, ids):
        await ids.vendor_ids([ann.id], soon())
        proxy.freeze()
        call = soon(0.45)
        found = await ids.vendor_ids([ann.id, ben.id], call)
        left_s = call.remaining_s(asyncio.get_running_loop().time())
        assert found == VendorIds({ann.id: "8001"}, frozenset({ben.id}))
        assert left_s > 0.45 / 2
        assert ids.problem is not None
        assert ids.problem.reason is Reason.DEADLINE
        proxy.thaw()
        assert await ids.vendor_ids([ben.id], soon()) == VendorIds({ben.id: "8002"})
        assert ids.problem is None


async def test_a_customer_who_is_forgotten_while_it_is_read_is_not_remembered(
    postgres: Postgres, tmp_path: Path
) -> None:
    database = await on_postgres(postgres)
    ann, ben = named("8001"), named("8002")
    await database.fill(ann, ben)
    async with behind_a_proxy(postgres, tmp_path) as (proxy, ids):
        await ids.vendor_ids([uuid4()], soon())
        proxy.freeze()
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(ids.vendor_ids([ann.id, ben.id], soon()))
            await proxy.holding.wait()
            ids.forget(ann.id)
            proxy.thaw()
        assert reading.result() == VendorIds({ann.id: "8001", ben.id: "8002"})
        assert len(ids._remembered) == 1
        assert ids._reads == []


async def test_a_question_that_is_cancelled_leaves_nothing_behind(
    postgres: Postgres, tmp_path: Path
) -> None:
    async with behind_a_proxy(postgres, tmp_path) as (proxy, ids):
        await ids.vendor_ids([uuid4()], soon())
        proxy.freeze()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ids.vendor_ids([uuid4()], soon())
        assert ids._reads == []
        assert ids._reader._engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_with_the_database_down_from_the_start_nobodys_mapping_can_be_read() -> None:
    async with opened("postgresql://pedkai@127.0.0.1:1/pedkai") as engine:
        ids = ids_on(engine)
        ann = uuid4()
        assert await ids.vendor_ids([ann], soon()) == VendorIds({}, frozenset({ann}))
        assert ids.problem is not None
        assert ids.problem.reason is Reason.UNREACHABLE


async def test_nobody_is_asked_about_nobody() -> None:
    async with opened("postgresql://pedkai@127.0.0.1:1/pedkai") as engine:
        assert await ids_on(engine).vendor_ids([], soon()) == VendorIds({})


async def test_uuids_of_32_digits_are_found_as_well(tmp_path: Path) -> None:
    database = on_sqlite(tmp_path / "pedkai.db", write_uuid=lambda one: one.hex)
    ann = named("8001")
    await database.fill(ann)
    async with opened(database.url) as engine:
        found = await ids_on(engine).vendor_ids([ann.id], soon())
    assert found == VendorIds({ann.id: "8001"})


async def test_no_id_is_logged_or_shown(
    pedkai: PedkaiDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ann = named(CANARY)
    await pedkai.fill(ann)
    async with opened(pedkai.url) as engine:
        ids = ids_on(engine)
        assert (await ids.vendor_ids([ann.id], soon())).known == {ann.id: CANARY}
        shown = f"{caplog.text} {ids!r} {ids._remembered!r} {ids.problem!r}"
    assert CANARY not in shown
    assert str(ann.id) not in shown
    assert ann.id.hex not in shown
