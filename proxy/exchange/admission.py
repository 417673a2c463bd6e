"""The breaker, asked before anybody queues: an open one answers at once."""

from typing import Generic, TypeVar

from adapters.call import Call
from proxy.guard.breaker import Breaker
from proxy.guard.sender import Sender

Request = TypeVar("Request")
Reply = TypeVar("Reply")


class Admission(Generic[Request, Reply]):
    """Lets in whoever the breaker would let ask now. Whether they may is asked again later."""

    def __init__(self, inner: Sender[Request, Reply], *, breaker: Breaker) -> None:
        self.inner = inner
        self._breaker = breaker

    async def send(self, request: Request, call: Call) -> Reply:
        self._breaker.admit()
        return await self.inner.send(request, call)
