"""What a connection's databases are guarded by, on files that come and go."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters.call import Call
from adapters.outcome import LookupFailed, NotAsked, Reason
from adapters.reader import Selection
from config import settings
from config.settings import Connection
from proxy.database_guard import DatabaseGuard, GuardedDatabases, adapted, is_worth_another_try
from proxy.databases import DatabaseKey, Databases
from proxy.guard.guard import Surroundings
from proxy.guard.switch import Switch
from proxy.shelf import Loan, Shelf

ONE = Selection(text("SELECT 1"))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def soon(budget_s: float = 10.0) -> Call:
    deadline = asyncio.get_running_loop().time() + budget_s
    return Call(deadline=deadline, asked_at=datetime(2026, 3, 1, tzinfo=UTC))


class Stage:
    """A database in a file, and its guard."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.switch = Switch()
        self.dsn = folder / "dsn"
        self.point_to("pedkai.db")
        key = DatabaseKey(
            dsn_file=str(self.dsn), dsn=None, pool=2, queue_length=3, connect_timeout_s=0.1
        )
        self.databases = Databases([key])
        self.database = self.databases[key]
        around = Surroundings(clock=self.clock, switch=self.switch, luck=lambda: 0.5)
        setting = settings.Guard(retry=settings.Retry.model_validate({"first_backoff": "1ms"}))
        self.guard = DatabaseGuard("identity", setting, around=around)

    def point_to(self, file: str) -> None:
        self.dsn.write_text(f"sqlite+aiosqlite:///{self.folder / file}")

    def create(self, file: str) -> None:
        with closing(sqlite3.connect(self.folder / file)) as database:
            database.execute("CREATE TABLE t (x)")

    async def read(self) -> Any:
        reader = self.guard.reader(self.database)
        assert reader is not None
        return await reader.read(ONE, soon())

    async def why_not(self) -> LookupFailed:
        with pytest.raises(LookupFailed) as caught:
            await self.read()
        return caught.value


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    await stage.databases.look()
    yield stage
    assert stage.database.slots.taken == 0
    await stage.databases.aclose()


async def test_without_an_engine_there_is_no_reader(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    assert stage.guard.reader(stage.database) is None


async def test_a_database_that_is_not_there_is_left_alone_until_it_may_be_back(
    stage: Stage,
) -> None:
    heard = [await stage.why_not() for _ in range(10)]
    assert {one.reason for one in heard} <= {Reason.UNREACHABLE, Reason.BREAKER_OPEN}
    assert heard[0].reason is Reason.UNREACHABLE
    refused = await stage.why_not()
    assert (type(refused), refused.reason) == (NotAsked, Reason.BREAKER_OPEN)
    assert stage.guard.breaker.status().state == "open"
    stage.create("pedkai.db")
    assert (await stage.why_not()).reason is Reason.BREAKER_OPEN
    stage.clock.now += 2
    assert list(await stage.read()) == [(1,)]
    assert stage.guard.breaker.status().state == "closed"


async def test_another_database_is_tried_at_once(stage: Stage) -> None:
    for _ in range(10):
        await stage.why_not()
    stage.create("other.db")
    stage.point_to("other.db")
    await stage.databases.look()
    assert list(await stage.read()) == [(1,)]


async def test_what_an_operator_forced_stays_with_another_database(stage: Stage) -> None:
    stage.create("pedkai.db")
    stage.create("other.db")
    stage.guard.breaker.force("open")
    assert (await stage.why_not()).reason is Reason.BREAKER_OPEN
    stage.point_to("other.db")
    await stage.databases.look()
    assert (await stage.why_not()).reason is Reason.BREAKER_OPEN
    assert stage.guard.breaker.status().state == "forced_open"
    stage.guard.breaker.force(None)
    assert list(await stage.read()) == [(1,)]


async def test_nobody_queues_for_a_database_that_is_left_alone(stage: Stage) -> None:
    calls = [soon(), soon()]
    for call in calls:
        await stage.database.slots.take(call)
    stage.switch.forced = "open"
    async with asyncio.timeout(5):
        assert (await stage.why_not()).reason is Reason.BREAKER_OPEN
    for call in calls:
        stage.database.slots.give_back(call)


async def test_a_reader_is_the_same_as_long_as_the_engine_is(stage: Stage) -> None:
    first = stage.guard.reader(stage.database)
    assert stage.guard.reader(stage.database) is first
    stage.point_to("other.db")
    await stage.databases.look()
    assert stage.guard.reader(stage.database) is not first


def test_only_a_connection_that_broke_is_tried_again() -> None:
    assert is_worth_another_try(LookupFailed(Reason.UNREACHABLE))
    assert not is_worth_another_try(NotAsked(Reason.UNREACHABLE))
    others = set(Reason) - {Reason.UNREACHABLE}
    assert not any(is_worth_another_try(LookupFailed(reason)) for reason in others)


def test_a_map_of_ids_is_judged_by_its_part_of_the_time() -> None:
    setting = settings.Guard()
    of_map, of_vendor = adapted(setting, "identity"), adapted(setting, "database")
    assert of_vendor.breaker == setting.breaker
    assert of_map.breaker.fair_chance == pytest.approx(setting.breaker.fair_chance / 3)
    assert of_map.breaker.slow_call == setting.breaker.slow_call  # batches give it longer
    assert of_map.breaker.minimum_calls == setting.breaker.minimum_calls
    assert of_map.retry.attempts == of_vendor.retry.attempts == 2
    without = setting.model_copy(update={"retry": settings.Retry(attempts=1)})
    assert adapted(without, "identity").retry.attempts == 1


# Of a configuration


def reading(folder: Path, **more: Any) -> Connection:
    source = {"kind": "pedkai_db", "dsn": f"sqlite+aiosqlite:///{folder}/pedkai.db"}
    return Connection.model_validate({"vendor": "amdocs", "identity": source, **more})


async def test_connections_that_share_a_database_share_its_slots_and_no_breaker(
    tmp_path: Path,
) -> None:
    one, other = reading(tmp_path), reading(tmp_path, vendor="csg")
    key = DatabaseKey(
        dsn_file=None,
        dsn=f"sqlite+aiosqlite:///{tmp_path}/pedkai.db",
        pool=5,
        queue_length=one.wire.queue_length,
        connect_timeout_s=one.wire.connect_timeout,
    )
    databases = Databases([key])
    await databases.look()
    switches = {"one": Switch(), "other": Switch()}
    seen = []
    readers = GuardedDatabases(
        databases,
        Loan(Shelf()),
        around=lambda name, _role: replace(Surroundings(), switch=switches[name]),
        watch=lambda name, breaker: seen.append((name, breaker.status().name)),
    )
    first = readers.reader("one", one, "identity")
    second = readers.reader("other", other, "identity")
    assert seen == [("one", "identity"), ("other", "identity")]
    assert first is not second
    assert readers.breakers("one")["identity"] is not readers.breakers("other")["identity"]
    assert readers.breakers("nobody") == {}
    assert readers.reader("one", one, "database") is None
    switches["one"].forced = "open"
    (tmp_path / "pedkai.db").touch()
    assert first is not None
    assert second is not None
    with pytest.raises(NotAsked):
        await first.read(ONE, soon())
    assert list(await second.read(ONE, soon())) == [(1,)]
    await databases.aclose()


async def test_a_guard_passes_from_one_configuration_to_the_next(tmp_path: Path) -> None:
    shelf, connection = Shelf(), reading(tmp_path)
    key = DatabaseKey(
        dsn_file=None,
        dsn=f"sqlite+aiosqlite:///{tmp_path}/pedkai.db",
        pool=5,
        queue_length=connection.wire.queue_length,
        connect_timeout_s=connection.wire.connect_timeout,
    )
    databases = Databases([key])
    await databases.look()
    before = GuardedDatabases(databases, Loan(shelf))
    after = GuardedDatabases(databases, Loan(shelf))
    changed = GuardedDatabases(databases, Loan(shelf))
    kept = before.reader("one", connection, "identity")
    assert after.reader("one", connection, "identity") is kept
    stricter = settings.Guard(breaker=settings.Breaker(minimum_calls=3))
    other = connection.model_copy(update={"guard": stricter})
    assert changed.reader("one", other, "identity") is not kept
    await databases.aclose()
