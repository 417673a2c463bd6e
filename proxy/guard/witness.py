"""Who is told of what a guard does, as it happens."""

from typing import Protocol

from adapters.outcome import Reason


class Witness(Protocol):
    """Counts. It takes no time worth speaking of, and raises nothing."""

    def exchanged(self, failure: Reason | None, took_s: float | None) -> None:
        """An exchange is over. `took_s`: of who was asked; `None` when nobody was."""
        ...

    def retried(self) -> None:
        """A failed exchange is tried again."""
        ...

    def hedged(self) -> None:
        """A second try stands beside a slow one."""
        ...

    def reconnected(self) -> None:
        """A request was repeated, because a kept connection was closed as it was sent."""
        ...


class Nobody:
    """Is told, and counts nothing."""

    def exchanged(self, failure: Reason | None, took_s: float | None) -> None: ...

    def retried(self) -> None: ...

    def hedged(self) -> None: ...

    def reconnected(self) -> None: ...
