"""The local adapter over Pedkai's schema in a SQLite file."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from tests.contract.pedkai import local_subject
from tests.contract.subject import Subject
from tests.servers.pedkai import on_sqlite

VENDOR = "local"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    file = scratch / "pedkai.db"
    database = on_sqlite(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as intruder:

        async def lock() -> None:
            """As a backup does that never ends: nobody else can read."""
            intruder.execute("BEGIN EXCLUSIVE")

        async def unlock() -> None:
            intruder.execute("ROLLBACK")

        async with local_subject(database, cut=lock, restore=unlock) as made:
            yield made
