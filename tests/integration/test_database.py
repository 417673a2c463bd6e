"""What a read of the database costs and says when the database is in trouble."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Executable, bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.call import Call
from adapters.database import EngineReader, open_engine
from adapters.outcome import LookupFailed, NotAsked, Reason
from adapters.reader import Rows, Selection
from tests.servers.hung import freezing_proxy, hung_server
from tests.servers.pedkai import on_postgres
from tests.servers.postgres import Postgres

ONE = text("SELECT 1")
FOREVER = text("SELECT pg_sleep(60)")
CANARY = "canary-7f3a"


@asynccontextmanager
async def opened(url: str, pool: int = 2) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url, pool=pool, connect_timeout_s=0.3)
    try:
        yield engine
    finally:
        await engine.dispose()


def now() -> float:
    return asyncio.get_running_loop().time()


async def read(engine: AsyncEngine, statement: Executable, budget_s: float = 5) -> Rows:
    call = Call(deadline=now() + budget_s, asked_at=datetime(2026, 3, 1, tzinfo=UTC))
    return await EngineReader(engine).read(Selection(statement), call)


async def failure(engine: AsyncEngine, statement: Executable, budget_s: float = 5) -> LookupFailed:
    """How the read failed; and that it did so in time, and without the driver's own error."""
    until = now() + budget_s
    with pytest.raises(LookupFailed) as caught:
        await read(engine, statement, budget_s)
    assert now() < until + 0.25
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    return caught.value


def checked_out(engine: AsyncEngine) -> int:
    return engine.pool.checkedout()  # type: ignore[attr-defined]


async def test_a_refused_connection_is_unreachable() -> None:
    async with opened("postgresql://pedkai@127.0.0.1:1/pedkai") as engine:
        assert (await failure(engine, ONE)).reason is Reason.UNREACHABLE


async def test_a_server_that_never_answers_is_unreachable_after_the_connect_timeout() -> None:
    async with hung_server() as port, opened(f"postgresql://u@127.0.0.1:{port}/x") as engine:
        assert (await failure(engine, ONE, budget_s=0.6)).reason is Reason.UNREACHABLE


async def test_a_deadline_before_the_connect_timeout_is_kept() -> None:
    async with hung_server() as port, opened(f"postgresql://u@127.0.0.1:{port}/x") as engine:
        assert (await failure(engine, ONE, budget_s=0.05)).reason is Reason.DEADLINE


async def test_a_server_that_falls_silent_costs_no_more_than_the_budget(
    postgres: Postgres, tmp_path: Path
) -> None:
    """A deadline is kept on a connection that was good, and the next read finds another."""
    door = tmp_path / ".s.PGSQL.6000"
    url = f"postgresql://pedkai@/postgres?host={tmp_path}&port=6000"
    server = postgres.folder / ".s.PGSQL.5432"
    async with freezing_proxy(server, door) as proxy, opened(url) as engine:
        await read(engine, ONE)
        proxy.freeze()
        assert (await failure(engine, ONE, budget_s=0.1)).reason is Reason.DEADLINE
        proxy.thaw()
        assert await read(engine, ONE) == [(1,)]
        assert checked_out(engine) == 0


async def test_a_read_has_an_end_of_its_own_however_its_budget_grows(
    postgres: Postgres, tmp_path: Path
) -> None:
    """Else those who join it in turn would wait for a dead connection, one after the other."""
    door = tmp_path / ".s.PGSQL.6000"
    url = f"postgresql://pedkai@/postgres?host={tmp_path}&port=6000"
    server = postgres.folder / ".s.PGSQL.5432"
    async with freezing_proxy(server, door) as proxy, opened(url) as engine:
        await read(engine, ONE)
        proxy.freeze()
        call = Call(deadline=now() + 60, asked_at=datetime(2026, 3, 1, tzinfo=UTC))
        async with asyncio.timeout(5):
            with pytest.raises(LookupFailed) as caught:
                await EngineReader(engine, longest_s=0.1).read(Selection(ONE), call)
        assert caught.value.reason is Reason.DEADLINE
        proxy.thaw()
        assert checked_out(engine) == 0


async def test_a_slow_statement_ends_at_the_deadline_and_gives_its_connection_back(
    postgres: Postgres,
) -> None:
    async with opened(postgres.url()) as engine:
        assert (await failure(engine, FOREVER, budget_s=0.1)).reason is Reason.DEADLINE
        assert checked_out(engine) == 0


async def test_the_server_ends_a_statement_that_nobody_waits_for(postgres: Postgres) -> None:
    async with opened(postgres.url()) as engine:
        rows = await read(engine, text("SHOW statement_timeout"))
    assert rows == [("2s",)]


async def test_a_cancelled_read_gives_its_connection_back(postgres: Postgres) -> None:
    async with opened(postgres.url(), pool=1) as engine:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await read(engine, FOREVER)
        assert checked_out(engine) == 0
        assert await read(engine, ONE) == [(1,)]


async def test_without_a_free_connection_in_the_pool_the_database_is_not_asked(
    postgres: Postgres,
) -> None:
    async with opened(postgres.url(), pool=1) as engine, engine.connect():
        found = await failure(engine, ONE)
    assert (type(found), found.reason) == (NotAsked, Reason.OVERLOAD)


async def test_waiting_for_a_connection_ends_at_the_deadline(postgres: Postgres) -> None:
    async with opened(postgres.url(), pool=1) as engine, engine.connect():
        assert (await failure(engine, ONE, budget_s=0.05)).reason is Reason.DEADLINE


async def test_a_restarted_server_costs_nobody_an_answer(postgres: Postgres) -> None:
    """All its connections are cut; the read takes a new one."""
    database = await on_postgres(postgres)
    async with opened(postgres.url()) as engine:
        rows = await read(engine, text("SELECT pg_backend_pid()"))
        await database.run(f"SELECT pg_terminate_backend({rows[0][0]})")
        assert await read(engine, ONE) == [(1,)]


@pytest.fixture
async def bob(postgres: Postgres) -> AsyncIterator[str]:
    database = await on_postgres(postgres)
    await database.run("CREATE ROLE bob LOGIN PASSWORD 'right'")
    yield "bob"
    await database.run("DROP ROLE bob")


@pytest.mark.parametrize("password", ["wrong", ""])
async def test_a_wrong_password_is_auth(postgres: Postgres, bob: str, password: str) -> None:
    async with opened(postgres.url(user=bob, password=password)) as engine:
        assert (await failure(engine, ONE)).reason is Reason.AUTH


async def test_a_table_that_may_not_be_read_is_auth(postgres: Postgres, bob: str) -> None:
    async with opened(postgres.url(user=bob, password="right")) as engine:
        found = await failure(engine, text("SELECT * FROM customers"))
    assert found.reason is Reason.AUTH


async def test_a_schema_that_is_not_there_is_the_vendors_error(postgres: Postgres) -> None:
    async with opened(postgres.url()) as engine:
        assert (await failure(engine, text("SELECT * FROM nothing"))).reason is Reason.VENDOR_ERROR


@pytest.mark.parametrize("ours", [True, False])
async def test_a_read_is_read_only_whoever_opened_the_engine(
    postgres: Postgres, *, ours: bool
) -> None:
    url = postgres.url()
    engine = open_engine(url, pool=1, connect_timeout_s=1) if ours else create_async_engine(url)
    try:
        state = text("SELECT current_setting('transaction_read_only')")
        assert await read(engine, state) == [("on",)]
    finally:
        await engine.dispose()


async def test_a_file_that_is_absent_is_unreachable_and_stays_absent(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path}/pedkai.db") as engine:
        assert (await failure(engine, ONE)).reason is Reason.UNREACHABLE
    assert not await asyncio.to_thread((tmp_path / "pedkai.db").exists)


async def test_a_locked_file_is_overload(tmp_path: Path) -> None:
    file = tmp_path / "pedkai.db"
    writer = sqlite3.connect(file)
    writer.execute("CREATE TABLE t (x)")
    writer.execute("BEGIN EXCLUSIVE")
    async with opened(f"sqlite:///{file}") as engine:
        found = await failure(engine, text("SELECT * FROM t"))
    writer.close()
    assert found.reason is Reason.OVERLOAD


async def test_a_file_whose_path_has_odd_characters_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a b#c%41.db"
    sqlite3.connect(file).execute("CREATE TABLE t (x)").connection.close()
    async with opened(f"sqlite:///{file}") as engine:
        assert await read(engine, text("SELECT * FROM t")) == []


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://root:{CANARY}@db/pedkai",
        f"{CANARY}",
        f"postgresql://u:{CANARY}@db:port/pedkai",
        f"sqlite://?{CANARY}",
        "sqlite:///:memory:",
    ],
)
def test_an_unusable_url_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match=r"write|names a file") as caught:
        open_engine(url, pool=1, connect_timeout_s=1)
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
async def test_no_parameter_or_value_is_in_an_error_a_log_or_a_repr(
    kind: str, postgres: Postgres, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "pedkai.db"
    sqlite3.connect(file).close()
    url = postgres.url() if kind == "postgresql" else f"sqlite:///{file}"
    echo = text("SELECT :canary").bindparams(bindparam("canary", CANARY))
    odd = text("SELECT nothing(:canary)").bindparams(bindparam("canary", CANARY))
    async with opened(url) as engine:
        assert (await read(engine, echo))[0][0] == CANARY
        error = await failure(engine, odd)
        assert CANARY not in repr(engine)
    assert CANARY not in f"{error!r} {error}"
    assert CANARY not in caplog.text
