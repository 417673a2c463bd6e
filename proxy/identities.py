"""Where each tenant's vendor ids come from, kept from one configuration to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.identity import IdentityMap, SameId
from adapters.identity_file import FileIdentity
from adapters.reader import Reader
from config.settings import Connection
from proxy.database_guard import GuardedDatabases
from proxy.databases import Databases, identity_database_of
from proxy.shelf import Loan
from proxy.telemetry.records import FileRecord
from proxy.unconfigured import UnreadIdentity

if TYPE_CHECKING:  # who has no database need not load a database library
    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncEngine

    from adapters.identity_database import PedkaiDatabaseIdentity

FILE_REMEDY = "write customer_id,vendor_id rows under that header, or one JSON object"


@dataclass(slots=True)
class _Read:
    """What is remembered of a database, and by what it is read."""

    engine: "AsyncEngine | None" = None
    reader: Reader | None = None
    identity: "PedkaiDatabaseIdentity | None" = None


class Identities:
    """The identity maps that one configuration names."""

    def __init__(self, databases: Databases, readers: GuardedDatabases, loan: Loan) -> None:
        self._databases = databases
        self._readers = readers
        self._loan = loan
        self._files: dict[str, FileIdentity] = {}
        self._read: dict[str, _Read] = {}
        """By tenant."""

    def of(self, tenant: str, name: str, connection: Connection) -> IdentityMap:
        """Of a tenant, on the connection of that name."""
        source = connection.identity
        if source.kind == "file" and source.file is not None:
            return self._file(source.file)
        key = identity_database_of(connection)
        if key is None:
            return SameId()
        reader = self._readers.reader(name, connection, "identity")
        engine = self._databases[key].engine
        if reader is None or engine is None:
            return UnreadIdentity()
        words = ("identity", tenant, key, source.remember, source.remember_customers)
        read = self._read[tenant] = self._loan.take(words, _Read)
        if read.identity is None or not _same_database(read.engine, engine):
            from adapters.identity_database import (  # noqa: PLC0415  (who has no database needs no library)
                PedkaiDatabaseIdentity,
            )

            read.identity = PedkaiDatabaseIdentity(
                reader, tenant, remember_s=source.remember, capacity=source.remember_customers
            )
        elif read.reader is not reader:
            # Another guard, or another login to the same database: what is remembered stays true.
            read.identity.read_by(reader)
        read.engine, read.reader = engine, reader
        return read.identity

    def read_ahead(self) -> None:
        """Begins to read the files; a map of many customers takes longer than a question may."""
        for file in self._files.values():
            file.read_ahead()

    def problem(self, connection: Connection, tenants: Iterator[str]) -> str | None:
        """Why a connection's map can't be read, or its latest read failed."""
        if (key := identity_database_of(connection)) is not None:
            unread = (self._read[one].identity for one in tenants if one in self._read)
            failed = (one.problem for one in unread if one is not None and one.problem)
            return self._databases[key].problem or next(map(str, failed), None)
        file = self._files.get(connection.identity.file or "")
        return file.problem if file else None

    def file_problem(self, name: str, connection: Connection) -> FileRecord | None:
        path = connection.identity.file or ""
        file = self._files.get(path)
        if file is None or not file.problem or connection.identity.kind != "file":
            return None
        return FileRecord(
            kind="identity_file",
            connection=name,
            file=path,
            what=file.problem,
            remedy=FILE_REMEDY,
        )

    def _file(self, path: str) -> FileIdentity:
        file = self._loan.take(("identity file", path), lambda: FileIdentity(Path(path)))
        self._files[path] = file
        return file


def _same_database(old: "AsyncEngine | None", new: "AsyncEngine") -> bool:
    return old is not None and _without_login(old.url) == _without_login(new.url)


def _without_login(url: "URL") -> "URL":
    return type(url).create(
        url.drivername, host=url.host, port=url.port, database=url.database, query=url.query
    )
