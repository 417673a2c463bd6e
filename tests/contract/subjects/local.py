"""The local adapter over Pedkai's schema in a SQLite file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.contract.pedkai import local_subject
from tests.contract.subject import Subject
from tests.servers.pedkai import on_sqlite
from tests.servers.sidecar import Locked

VENDOR = "local"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    database = on_sqlite(scratch / "pedkai.db")
    locked = Locked(database.file)
    async with local_subject(database, cut=locked.begin, restore=locked.end) as made:
        yield made
