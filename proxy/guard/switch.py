"""What an operator wants of a breaker, whatever the breaker itself thinks."""

from typing import Literal, TypeAlias

Forced: TypeAlias = Literal["open", "closed"] | None
"""`open`: nobody is asked; `closed`: everybody passes; `None`: the breaker decides."""


class Switch:
    """Holds it. It outlives a breaker, so that a reload does not undo what an operator did.

    A breaker looks at it each time it is asked; several may follow the same one.
    """

    __slots__ = ("forced",)

    def __init__(self, forced: Forced = None) -> None:
        self.forced = forced
