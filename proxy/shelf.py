"""What outlives a configuration: connections, databases, identity maps.

Two configurations that ask for a thing in the same words get the same thing, with its sockets, its
tokens and all that it remembers. It is closed when the last runtime that used it gives it back.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(slots=True, kw_only=True, eq=False)
class _Kept:
    words: object = field(repr=False)
    """Compared, and never shown: they may hold a secret."""
    thing: Any
    close: Callable[[Any], Awaitable[None]] | None
    loans: int = 0


class Shelf:
    """Everything that is in use, by the words in which it was asked for."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []

    def find(self, words: object) -> _Kept | None:
        return next((one for one in self._kept if one.words == words), None)

    def put(self, kept: _Kept) -> None:
        self._kept.append(kept)

    async def give_back(self, kept: _Kept) -> None:
        kept.loans -= 1
        if not kept.loans:
            self._kept.remove(kept)
            if kept.close is not None:
                await kept.close(kept.thing)


class Loan:
    """What one runtime has from the shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._taken: list[_Kept] = []

    def take(
        self,
        words: object,
        make: Callable[[], T],
        close: Callable[[T], Awaitable[None]] | None = None,
    ) -> T:
        """The thing of these words, made if there is none."""
        kept = self._shelf.find(words)
        if kept is None:
            kept = _Kept(words=words, thing=make(), close=close)
            self._shelf.put(kept)
        if not any(one is kept for one in self._taken):
            kept.loans += 1
            self._taken.append(kept)
        thing: T = kept.thing
        return thing

    async def give_back(self) -> None:
        """Everything; what nobody else uses is closed, also when one of them fails to."""
        async with AsyncExitStack() as closing:
            while self._taken:
                closing.push_async_callback(self._shelf.give_back, self._taken.pop())
