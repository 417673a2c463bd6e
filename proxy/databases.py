"""Engines on Pedkai's database, each on the URL that its file or environment variable says now."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from config.settings import Connection
from proxy.guard.slots import Slots

if TYPE_CHECKING:  # who has no database need not load a database library
    from sqlalchemy.ext.asyncio import AsyncEngine

IDENTITY_POOL = 5
"""Database connections of an identity map at most; the settings have no word for it."""
DSN_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseKey:
    """What makes two connections share one engine."""

    dsn_file: str | None
    dsn: str | None = field(repr=False)
    pool: int
    queue_length: int
    connect_timeout_s: float


@dataclass(slots=True)
class Database:
    """One engine, or why there is none."""

    slots: Slots
    """As many as the engine's pool has connections, so that nobody waits where it is not fair."""
    engine: "AsyncEngine | None" = None
    problem: str = "its URL has not been read yet"
    """For the operator; empty when there is an engine."""
    url: str = field(default="", repr=False)
    """What the engine was opened on."""
    file_problem: str = ""
    """What is wrong with its file as it is now, also while an engine serves; or empty."""

    async def aclose(self) -> None:
        if self.engine is not None:
            await self.engine.dispose()


def unopened(key: DatabaseKey) -> Database:
    return Database(Slots(key.pool, queue_length=key.queue_length))


class Databases:
    """Every database that a configuration names. A URL in a file may change while we run."""

    def __init__(
        self,
        keys: Iterable[DatabaseKey],
        take: Callable[[DatabaseKey], Database] = unopened,
    ) -> None:
        """`take` may give one that others use too; who gives it closes it."""
        self._databases = {key: take(key) for key in keys}

    def __getitem__(self, key: DatabaseKey) -> Database:
        return self._databases[key]

    @property
    def engines(self) -> "tuple[AsyncEngine | None, ...]":
        return tuple(one.engine for one in self._databases.values())

    def files(self) -> frozenset[Path]:
        """Files whose URLs may change."""
        return frozenset(
            Path(key.dsn_file)
            for key in self._databases
            if key.dsn is None and key.dsn_file is not None
        )

    async def look(self) -> bool:
        """Reads every URL again; whether an engine has changed by it. Opens no socket."""
        before = self.engines
        for key, database in self._databases.items():
            url, problem = await asyncio.to_thread(_url, key)
            if not url:
                # What was opened on the last good URL goes on.
                database.problem = "" if database.engine else problem
                database.file_problem = problem
            elif url != database.url:
                await _reopen(database, key, url)
            else:
                database.file_problem = ""
        return self.engines != before

    async def aclose(self) -> None:
        for database in self._databases.values():
            await database.aclose()


def database_of(connection: Connection) -> DatabaseKey | None:
    """The database that answers for a connection, if one does."""
    if connection.database is None:
        return None
    return DatabaseKey(
        dsn_file=connection.database.dsn_file,
        dsn=_plain(connection.database.dsn),
        pool=connection.database.pool,
        queue_length=connection.wire.queue_length,
        connect_timeout_s=connection.wire.connect_timeout,
    )


def identity_database_of(connection: Connection) -> DatabaseKey | None:
    """The database that a connection's identity map is read from, if it is."""
    if connection.identity.kind != "pedkai_db":
        return None
    return DatabaseKey(
        dsn_file=connection.identity.dsn_file,
        dsn=_plain(connection.identity.dsn),
        pool=IDENTITY_POOL,
        queue_length=connection.wire.queue_length,
        connect_timeout_s=connection.wire.connect_timeout,
    )


async def _reopen(database: Database, key: DatabaseKey, url: str) -> None:
    old = database.engine
    open_engine = await asyncio.to_thread(_opener)
    try:
        new = open_engine(url, pool=key.pool, connect_timeout_s=key.connect_timeout_s)
    except ValueError as error:
        # Its words are ours and never quote the URL.
        database.file_problem = f"its URL is not valid: {error}"
        database.problem = "" if old else database.file_problem
        return
    database.engine, database.url, database.problem = new, url, ""
    database.file_problem = ""
    if old is not None:
        # What is being asked over the old engine is finished; its idle sockets are closed.
        await old.dispose()


def _opener() -> "Callable[..., AsyncEngine]":
    """In a thread: a database library takes 25 MiB and 300 ms, and only who has one pays."""
    from adapters.database import open_engine  # noqa: PLC0415  (as said above)
    from adapters.pedkai_schema import customers  # noqa: F401, PLC0415  (what asks it, as well)

    return open_engine


def _url(key: DatabaseKey) -> tuple[str, str]:
    """The URL, or why there is none."""
    if key.dsn is not None:
        return key.dsn.strip(), "its environment variable is empty"
    if key.dsn_file is None:
        return "", "it has neither dsn_file nor dsn"
    try:
        with Path(key.dsn_file).open("rb") as file:
            text = file.read(DSN_BYTES).decode().strip()
    except (OSError, ValueError) as error:
        return "", f"its dsn_file can't be read ({type(error).__name__})"
    return text, "its dsn_file is empty"


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
