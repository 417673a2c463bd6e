"""Servers that live as long as one test run, in each of its processes."""

from collections.abc import Iterator

import pytest

from tests.servers.postgres import NoPostgres, Postgres, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL; where none can be had, the test is skipped."""
    try:
        with running_postgres() as server:
            yield server
    except NoPostgres as absent:
        pytest.skip(str(absent))
