"""Who is told of what a cache does, as it happens."""

from typing import Literal, Protocol, TypeAlias

from proxy.cache.gather import Bypassed
from proxy.cache.names import Question
from proxy.cache.seal import Refused
from proxy.cache.store import FailureKind
from proxy.cache.tally import Tally

Dropped: TypeAlias = FailureKind | Literal["breaker_open", "queue_full", "unfit", "outlived"]
"""Why something learned is not kept: the store, the queue, itself, or it waited for too long."""


class Witness(Protocol):
    """Counts. It takes no time worth speaking of, and raises nothing."""

    def looked(self, connection: str, question: Question, tally: Tally, took_s: float) -> None:
        """A question was looked for; `took_s` until it was known what is fresh."""
        ...

    def stood_in(self, connection: str, question: Question) -> None:
        """A stale answer was given, because nobody could say."""
        ...

    def refused(self, why: Refused) -> None:
        """Something that was kept did not open."""
        ...

    def bypassed(self, why: Bypassed) -> None:
        """The store could not be asked."""
        ...

    def written(self, entries: int, took_s: float) -> None: ...

    def dropped(self, entries: int, why: Dropped) -> None: ...

    def refreshed(self, renewed: int, failed: int) -> None:
        """An early refresh is over."""
        ...

    def broke(self, what: str) -> None:
        """Something unforeseen, by its type names; the question went on without the cache."""
        ...


class Nobody:
    """Is told, and counts nothing."""

    def looked(self, connection: str, question: Question, tally: Tally, took_s: float) -> None: ...

    def stood_in(self, connection: str, question: Question) -> None: ...

    def refused(self, why: Refused) -> None: ...

    def bypassed(self, why: Bypassed) -> None: ...

    def written(self, entries: int, took_s: float) -> None: ...

    def dropped(self, entries: int, why: Dropped) -> None: ...

    def refreshed(self, renewed: int, failed: int) -> None: ...

    def broke(self, what: str) -> None: ...
