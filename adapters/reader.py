"""The port that a database is read through."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from adapters.call import Call
from adapters.outcome import LookupFailed, Reason

if TYPE_CHECKING:  # who has no database need not load a database library
    from sqlalchemy import Executable

Row: TypeAlias = Sequence[Any]
Rows: TypeAlias = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Selection:
    """One SELECT, and the values of its parameters, which are personal data."""

    statement: "Executable"
    parameters: Mapping[str, object] = field(default_factory=dict, repr=False)


class Reader(Protocol):
    """Reads one database."""

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the database's kind: `postgresql` or `sqlite`."""
        ...

    async def read(self, selection: Selection, call: Call, /) -> Rows:
        """All rows, or `LookupFailed`, at the latest when the budget of the call ends.

        An end that moves away while the read is under way is followed, within a bound of its own:
        who keeps on joining the wait for a dead connection must not keep it up.
        """
        ...


class ScriptedReader:
    """A reader that answers from a function, and remembers what it was asked."""

    def __init__(
        self, answer: Callable[[Selection], Rows | Awaitable[Rows]], *, dialect: str = "sqlite"
    ) -> None:
        self.dialect = dialect
        self.selections: list[Selection] = []
        self._answer = answer

    async def read(self, selection: Selection, call: Call, /) -> Rows:
        self.selections.append(selection)
        with suppress(TimeoutError):
            async with call.budget.timer():
                answer = self._answer(selection)
                return await answer if isinstance(answer, Awaitable) else answer
        raise LookupFailed(Reason.DEADLINE, "nobody answered in time")
