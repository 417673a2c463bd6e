"""Reading Pedkai's database: how it is opened, what one read may cost, what its errors mean.

SQLAlchemy's exceptions carry the parameters of a statement, and those are customer ids. None of
them leaves this module, not even as the context of another.
"""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from sqlite3 import SQLITE_BUSY, SQLITE_CANTOPEN, SQLITE_LOCKED
from ssl import SSLError
from typing import Any

import asyncpg
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoSlot
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.call import Call
from adapters.outcome import LookupFailed, NotAsked, Reason
from adapters.reader import Rows, Selection

STATEMENT_TIMEOUT_S = 2.0
"""After it PostgreSQL ends a statement by itself, should we no longer be there to cancel it. No
read takes longer, whoever waits: a server that fell silent ends nothing by itself."""
SLOT_TIMEOUT_S = 1.0
"""How long a read may wait for one of the pool's connections before it is `overload`."""
GOODBYE_S = 0.02
"""How long a broken connection may take to be closed politely. SQLAlchemy would give it 2 s."""


class PromptConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg ships no types
    """Does not wait for a server that no longer answers, so that a deadline is kept."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  (its name)
        await super().close(timeout=GOODBYE_S)


def open_engine(url: str, *, pool: int, connect_timeout_s: float) -> AsyncEngine:
    """An engine that only reads, over at most `pool` connections, none of them opened yet.

    `url` is SQLAlchemy's: `postgresql+asyncpg://…` or `sqlite+aiosqlite:///FILE`; the driver may
    be left out. Behind PgBouncer its `ignore_startup_parameters` must name `statement_timeout` and
    `default_transaction_read_only`. Raises `ValueError`, which never quotes the URL.
    """
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)  # its debug lines hold parameters
    parsed = _parsed(url)
    options: dict[str, Any] = {
        "hide_parameters": True,
        "max_overflow": 0,
        "pool_size": pool,
        "pool_timeout": SLOT_TIMEOUT_S,
    }
    if parsed.get_backend_name() == "sqlite":
        arguments = {"timeout": connect_timeout_s}
        return create_async_engine(_read_only_file(parsed), connect_args=arguments, **options)
    return create_async_engine(
        parsed.set(drivername="postgresql+asyncpg"),
        isolation_level="AUTOCOMMIT",  # one statement is a transaction: no BEGIN, no ROLLBACK
        pool_pre_ping=True,  # a server that was restarted costs nobody an answer
        connect_args={
            "timeout": connect_timeout_s,
            "connection_class": PromptConnection,
            "server_settings": {
                "application_name": "bss-sidecar",
                "default_transaction_read_only": "on",
                "statement_timeout": str(int(STATEMENT_TIMEOUT_S * 1000)),
            },
        },
        **options,
    )


def _parsed(url: str) -> URL:
    parsed = None
    with suppress(ArgumentError, ValueError):  # their text quotes the URL, and so the password
        parsed = make_url(url.strip())
    known = ("postgresql", "postgresql+asyncpg", "postgres", "sqlite", "sqlite+aiosqlite")
    if parsed is None or parsed.drivername not in known:
        raise ValueError(
            "write postgresql+asyncpg://USER@HOST/DATABASE or sqlite+aiosqlite:///FILE"
        )
    return parsed


def _read_only_file(url: URL) -> URL:
    """SQLite creates a file that is absent, unless it is told that it may only read."""
    if not url.database or url.database == ":memory:":
        raise ValueError("a SQLite URL names a file: sqlite+aiosqlite:///FILE")
    file = url.database
    if not file.startswith("file:"):
        file = Path(file).absolute().as_uri()
    query = {**url.query, "mode": "ro", "uri": "true"}
    return url.set(drivername="sqlite+aiosqlite", database=file, query=query)


class EngineReader:
    """Reads over an engine's connections, and does nothing else, whoever opened the engine:
    PostgreSQL runs each statement in a read-only transaction.
    """

    def __init__(self, engine: AsyncEngine, *, longest_s: float = STATEMENT_TIMEOUT_S) -> None:
        """`longest_s`: of one read, also where its budget is longer, or grows again and again."""
        self._engine = engine
        self._longest_s = longest_s

    @property
    def dialect(self) -> str:
        return self._engine.dialect.name

    async def read(self, selection: Selection, call: Call, /) -> Rows:
        latest = asyncio.get_running_loop().time() + self._longest_s
        with suppress(TimeoutError):
            async with call.budget.timer(latest):
                return await self._translated(selection)
        raise LookupFailed(Reason.DEADLINE, "the database did not answer in time")

    async def _translated(self, selection: Selection) -> Rows:
        failure: LookupFailed
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(postgresql_readonly=True)
                return (await connection.execute(selection.statement, selection.parameters)).all()
        except NoSlot:  # all connections of our own are in use
            failure = NotAsked(Reason.OVERLOAD, "no free connection in the pool")
        except Exception as error:  # noqa: BLE001  (drivers raise anything; all of it becomes ours)
            failure = LookupFailed(reason_of(error), type(error).__name__)
        raise failure  # outside of the handler, so that the driver's error is not its context


def reason_of(error: Exception) -> Reason:
    """What an error of SQLAlchemy or of one of the two drivers means for the question."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        return _reason_of_state(state)
    sqlite = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the primary code of an extended one
    if sqlite in (SQLITE_BUSY, SQLITE_LOCKED):
        return Reason.OVERLOAD
    if isinstance(cause, SSLError):
        return Reason.TLS
    if isinstance(cause, OSError) or sqlite == SQLITE_CANTOPEN:
        return Reason.UNREACHABLE
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return Reason.UNREACHABLE
    return Reason.VENDOR_ERROR


def _reason_of_state(state: str) -> Reason:
    """Of an SQLSTATE (PostgreSQL, appendix A)."""
    if state == "42501" or state.startswith("28"):  # a privilege, or the login itself
        return Reason.AUTH
    if state == "57014":  # the statement timeout
        return Reason.DEADLINE
    if state.startswith("53"):  # too many connections, out of memory
        return Reason.OVERLOAD
    if state.startswith(("08", "57P")):  # a broken connection, a server that starts or stops
        return Reason.UNREACHABLE
    return Reason.VENDOR_ERROR
