"""What stands between a connection's questions and the databases that it reads.

A breaker and a budget for retries belong to a connection, as an operator sees it. Slots belong to
the database, whoever reads it: they are its pool's.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from adapters.call import Call
from adapters.identity import PATIENCE
from adapters.outcome import LookupFailed, NotAsked, Reason
from adapters.reader import Reader, Rows, Selection
from config import settings
from config.settings import Connection
from proxy.databases import Database, Databases, database_of, identity_database_of
from proxy.guard.breaker import Breaker
from proxy.guard.guard import Guard, Surroundings
from proxy.guard.sender import Sender
from proxy.guard.slots import Slots
from proxy.pipeline import DATABASE, guarded
from proxy.shelf import Loan

if TYPE_CHECKING:  # who has no database need not load a database library
    from sqlalchemy.ext.asyncio import AsyncEngine

Role: TypeAlias = Literal["database", "identity"]
"""What a database is to a connection, and the name of its breaker."""
KEYS = {"database": database_of, "identity": identity_database_of}
ATTEMPTS = 2
"""At most, the first included: a new connection is worth one more try, and no more."""


class GuardedReader(Reader):
    """A reader behind the layers of its guard."""

    def __init__(self, bare: Reader, guard: Guard) -> None:
        self._bare = bare
        self._sender = guarded(DATABASE, _Bare(bare), guard)
        self._witness = guard.around.witness

    @property
    def dialect(self) -> str:
        return self._bare.dialect

    async def read(self, selection: Selection, call: Call, /) -> Rows:
        try:
            return await self._sender.send(selection, call)
        except NotAsked as failure:
            self._witness.exchanged(failure.reason, None)  # as of an exchange that never left
            raise


class _Bare(Sender[Selection, Rows]):
    """A reader as the innermost of a stack."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def send(self, request: Selection, call: Call, /) -> Rows:
        return await self._reader.read(request, call)


class DatabaseGuard:
    """Of one database of one connection. It outlives the engine that the database is read by."""

    def __init__(
        self, role: Role, setting: settings.Guard, *, around: Surroundings | None = None
    ) -> None:
        self._guard = replace(
            Guard.of(role, adapted(setting, role), retryable=is_worth_another_try, around=around),
            limit=None,  # the pool's size is the limit
        )
        self._engine: AsyncEngine | None = None
        self._reader: Reader | None = None

    @property
    def breaker(self) -> Breaker:
        return self._guard.breaker

    def reader(self, database: Database) -> Reader | None:
        """The same one for as long as the engine is the same; `None` without an engine.

        A new one is tried at once: it may lead to another database, or log in better.
        """
        if database.engine is not self._engine:
            self.breaker.try_anew()
            self._engine = database.engine
            self._reader = self._over(database.engine, database.slots)
        return self._reader

    def _over(self, engine: "AsyncEngine | None", slots: Slots) -> Reader | None:
        if engine is None:
            return None
        from adapters.database import EngineReader  # noqa: PLC0415  (who has no engine needs no library)

        return GuardedReader(EngineReader(engine), replace(self._guard, slots=slots))


def adapted(setting: settings.Guard, role: Role) -> settings.Guard:
    """The guard of a connection, for one of its databases.

    A map of ids has only a part of a question's time, and is to be judged by that.
    """
    part = PATIENCE if role == "identity" else 1.0
    breaker, retry = setting.breaker, setting.retry
    return setting.model_copy(
        update={
            "breaker": breaker.model_copy(update={"fair_chance": breaker.fair_chance * part}),
            "retry": retry.model_copy(update={"attempts": min(ATTEMPTS, retry.attempts)}),
        }
    )


def is_worth_another_try(failure: LookupFailed) -> bool:
    """A connection that broke may be bad luck. What a database answers, it will answer again."""
    return failure.reason is Reason.UNREACHABLE and not isinstance(failure, NotAsked)


class GuardedDatabases:
    """The databases that one configuration names, as its connections may read them."""

    def __init__(
        self,
        databases: Databases,
        loan: Loan,
        around: Callable[[str, Role], Surroundings] = lambda _name, _role: Surroundings(),
        watch: Callable[[str, Breaker], object] = lambda _name, _breaker: None,
    ) -> None:
        """`around`: the surroundings of a guard, by its connection's name and what it is.

        `watch` gets each breaker that is made, with its connection's name.
        """
        self._databases = databases
        self._loan = loan
        self._around = around
        self._watch = watch
        self._guards: dict[str, dict[Role, DatabaseGuard]] = {}

    def reader(self, name: str, connection: Connection, role: Role) -> Reader | None:
        """`None` where there is no such database, or its URL can't be used."""
        key = KEYS[role](connection)
        if key is None:
            return None
        words = ("database guard", name, role, connection.guard, key)
        guard = self._loan.take(words, lambda: self._made(name, connection, role))
        self._guards.setdefault(name, {})[role] = guard
        return guard.reader(self._databases[key])

    def breakers(self, name: str) -> Mapping[str, Breaker]:
        """Of the databases that the connection of this name reads, each under its role."""
        return {role: guard.breaker for role, guard in self._guards.get(name, {}).items()}

    def _made(self, name: str, connection: Connection, role: Role) -> DatabaseGuard:
        guard = DatabaseGuard(role, connection.guard, around=self._around(name, role))
        self._watch(name, guard.breaker)
        return guard
