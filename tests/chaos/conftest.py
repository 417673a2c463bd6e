"""One world for all tests of a process."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.chaos.world import World, world
from tests.servers.postgres import NoPostgres, Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres_or_none() -> Iterator[Postgres | None]:
    """A real PostgreSQL, where one can be had."""
    try:
        with running_postgres() as server:
            yield server
    except NoPostgres:
        yield None


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def whole(
    tmp_path_factory: pytest.TempPathFactory, postgres_or_none: Postgres | None
) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("world"), postgres_or_none) as made:
        yield made
