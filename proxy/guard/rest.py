"""What who is asked wants of a breaker: to be left alone until a moment."""

from adapters.outcome import Reason
from proxy.guard.breaker_states import Opening

NOT_ASKED_FOR = Opening(0.0, Reason.BREAKER_OPEN, "")


class Rest:
    """Holds it. It outlives a breaker, so that a reload does not cut a `Retry-After` short.

    A breaker looks at it each time it is asked; several may keep to the same one.
    """

    __slots__ = ("asked",)

    def __init__(self) -> None:
        self.asked = NOT_ASKED_FOR
