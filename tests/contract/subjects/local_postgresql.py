"""The local adapter over Pedkai's schema in a real PostgreSQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.contract.pedkai import local_subject
from tests.contract.subject import Subject
from tests.servers.pedkai import on_postgres
from tests.servers.postgres import NoPostgres, running_postgres

VENDOR = "local"
_SOCKET = ".s.PGSQL.5432"
_END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    try:
        with running_postgres() as server:
            socket, hidden = server.folder / _SOCKET, server.folder / "hidden"

            async def cut() -> None:
                """As a server that goes away: who is connected is cut off, nobody else gets in."""
                last = await asyncpg.connect(
                    host=str(server.folder), user="pedkai", database="postgres"
                )
                socket.rename(hidden)
                await last.execute(_END_ALL)
                await last.close()

            async def restore() -> None:
                hidden.rename(socket)

            database = await on_postgres(server)
            async with local_subject(database, cut=cut, restore=restore) as made:
                yield made
    except NoPostgres as absent:
        pytest.skip(str(absent))
