"""Servers that live as long as one test run, in each of its processes."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.servers.fleet import PATIENT_READS, Fleet, fleet
from tests.servers.pedkai import PedkaiDatabase, on_postgres, on_sqlite
from tests.servers.postgres import NoPostgres, Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL; where none can be had, the test is skipped."""
    try:
        with running_postgres() as server:
            yield server
    except NoPostgres as absent:
        pytest.skip(str(absent))


@pytest_asyncio.fixture(params=["postgresql", "sqlite"])
async def pedkai(request: pytest.FixtureRequest, tmp_path: Path) -> PedkaiDatabase:
    """A database with Pedkai's schema and no rows, on PostgreSQL and in a SQLite file."""
    if request.param == "sqlite":
        return on_sqlite(tmp_path / "pedkai.db")
    return await on_postgres(request.getfixturevalue("postgres"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    async with fleet(tmp_path_factory.mktemp("two"), cache=PATIENT_READS) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def two(_two: Fleet) -> Fleet:
    """Two sidecars and a Redis over TLS in which nothing is kept yet; its TTL outlasts a test."""
    await _two.start_anew()
    return _two
