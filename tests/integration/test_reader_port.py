"""What every reader keeps: a database, bare and under its guard, and the double of tests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import select

from adapters.call import Call
from adapters.database import EngineReader, open_engine
from adapters.outcome import LookupFailed, Reason
from adapters.pedkai_schema import asked, customers, is_asked
from adapters.reader import Reader, Rows, ScriptedReader, Selection
from config import settings
from proxy.database_guard import GuardedReader
from proxy.guard.guard import Guard
from tests.servers.pedkai import Customer, on_postgres
from tests.servers.postgres import Postgres

TENANT = "acme_mobile"
ANN, BEN = Customer(uuid4(), TENANT, "8001"), Customer(uuid4(), TENANT, "8002")
RIVAL = Customer(uuid4(), "rival_telecom", "8003")


def soon(budget_s: float = 10.0) -> Call:
    deadline = asyncio.get_running_loop().time() + budget_s
    return Call(deadline=deadline, asked_at=datetime(2026, 3, 1, tzinfo=UTC))


def selection(reader: Reader, *people: Customer) -> Selection:
    statement = select(customers.c.external_id).where(is_asked(reader.dialect))
    return Selection(
        statement.order_by(customers.c.external_id),
        asked([one.id for one in people], TENANT, reader.dialect),
    )


@dataclass(frozen=True)
class Scene:
    reader: Reader
    silence: Callable[[], AbstractAsyncContextManager[None]]
    """While it lasts, nobody is answered."""


async def scripted() -> AsyncIterator[Scene]:
    speaks = asyncio.Event()
    speaks.set()

    async def answer(selection: Selection) -> Rows:
        await speaks.wait()
        ids, tenant = selection.parameters["ids"], selection.parameters["tenant"]
        assert isinstance(ids, list)
        named = (one for one in (ANN, BEN, RIVAL) if one.id in ids and one.tenant_id == tenant)
        return [(one.external_id,) for one in named]

    @asynccontextmanager
    async def silence() -> AsyncIterator[None]:
        speaks.clear()
        yield
        speaks.set()

    yield Scene(ScriptedReader(answer, dialect="postgresql"), silence)


def guard_of_two() -> Guard:
    return Guard.of("database", settings.Guard(), concurrency=2)


async def on_a_server(server: Postgres, *, is_guarded: bool) -> AsyncIterator[Scene]:
    database = await on_postgres(server)
    await database.fill(ANN, BEN, RIVAL)
    engine = open_engine(database.url, pool=2, connect_timeout_s=1.0)

    @asynccontextmanager
    async def silence() -> AsyncIterator[None]:
        connection = await asyncpg.connect(
            host=str(server.folder), user="pedkai", database="postgres"
        )
        async with connection.transaction():
            await connection.execute("LOCK TABLE customers")
            yield
        await connection.close()

    bare = EngineReader(engine)
    yield Scene(GuardedReader(bare, guard_of_two()) if is_guarded else bare, silence)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    await engine.dispose()


@pytest.fixture(params=["scripted", "postgresql", "guarded postgresql"])
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    if request.param == "scripted":
        scenes = scripted()
    else:
        is_guarded = request.param.startswith("guarded")
        scenes = on_a_server(request.getfixturevalue("postgres"), is_guarded=is_guarded)
    async for one in scenes:
        yield one


async def test_the_rows_of_those_who_are_asked_for_come_in_order(scene: Scene) -> None:
    found = await scene.reader.read(selection(scene.reader, ANN, BEN, RIVAL), soon())
    assert [tuple(row) for row in found] == [("8001",), ("8002",)]
    assert list(await scene.reader.read(selection(scene.reader), soon())) == []


async def test_a_read_without_an_answer_ends_with_its_budget(scene: Scene) -> None:
    async with scene.silence():
        call = soon(0.1)
        with pytest.raises(LookupFailed) as caught:
            await scene.reader.read(selection(scene.reader, ANN), call)
        late_s = asyncio.get_running_loop().time() - call.deadline
    assert caught.value.reason is Reason.DEADLINE
    assert 0 <= late_s < 0.25
    assert list(await scene.reader.read(selection(scene.reader, ANN), soon())) == [("8001",)]


async def test_a_read_lives_as_long_as_its_most_patient_waiter(scene: Scene) -> None:
    call = soon(0.1)
    async with asyncio.TaskGroup() as tasks:
        async with scene.silence():
            read = tasks.create_task(scene.reader.read(selection(scene.reader, ANN), call))
            first_end = call.deadline
            await until(first_end - 0.05)
            call.budget.extend(first_end + 10)
            await until(first_end + 0.02)
        assert [tuple(row) for row in await read] == [("8001",)]


async def test_a_cancelled_read_ends_at_once_and_the_next_one_is_answered(scene: Scene) -> None:
    async with scene.silence():
        begun = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await scene.reader.read(selection(scene.reader, ANN), soon())
        assert asyncio.get_running_loop().time() < begun + 0.25
    assert list(await scene.reader.read(selection(scene.reader, ANN), soon())) == [("8001",)]


async def until(moment: float) -> None:
    """A deadline has to pass in a real database: there is no other way to see what it does."""
    loop = asyncio.get_running_loop()
    passed = asyncio.Event()
    loop.call_at(moment, passed.set)
    await passed.wait()


def test_no_value_of_a_parameter_is_in_a_repr() -> None:
    shown = repr(Selection(select(customers.c.id), {"ids": [ANN.id], "tenant": "canary"}))
    assert "canary" not in shown
    assert str(ANN.id) not in shown
