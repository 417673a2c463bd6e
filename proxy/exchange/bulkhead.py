"""One slot per exchange, so that a slow vendor takes neither our memory nor its own down."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from adapters.call import Call
from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.guard.clock import Clock, loop_time
from proxy.guard.lag import LoopLag
from proxy.guard.limit import AdaptiveLimit
from proxy.guard.sender import Sender
from proxy.guard.slots import Slots
from proxy.guard.verdict import LATE_SHARE

Request = TypeVar("Request")
Reply = TypeVar("Reply")

CUT_OFF = frozenset({Reason.DEADLINE, Reason.UNREACHABLE})
"""How an exchange ends that got no answer in its time, and others besides."""


def of_one_kind(_request: object) -> Hashable:
    return None


class Bulkhead(Generic[Request, Reply]):
    """Lets as many exchanges through as there are slots; the others wait, within their budget.

    With a limit that adapts, the time that they take decides how many slots there are.
    """

    def __init__(
        self,
        inner: Sender[Request, Reply],
        *,
        slots: Slots,
        limit: AdaptiveLimit | None = None,
        lag: LoopLag | None = None,
        clock: Clock = loop_time,
        kind: Callable[[Request], Hashable] = of_one_kind,
    ) -> None:
        """`kind`: requests of one kind take about equally long; there are few kinds."""
        self.inner = inner
        self._slots = slots
        self._limit = limit
        self._lag = lag or LoopLag()
        self._clock = clock
        self._kind = kind

    async def send(self, request: Request, call: Call) -> Reply:
        await self._slots.take(call)
        try:
            if self._limit is None:
                return await self.inner.send(request, call)
            return await self._measured(request, call, self._limit)
        finally:
            self._slots.give_back(call)

    async def _measured(self, request: Request, call: Call, limit: AdaptiveLimit) -> Reply:
        kind = (self._kind(request), call.is_batch)
        in_flight, began = self._slots.taken, self._clock()
        own = call.until(call.budget)
        late_before_s = self._lag.begin()

        def observe(failure: LookupFailed | None) -> None:
            now, late_s = self._clock(), self._lag.late_s() - late_before_s
            took_s = now - began - own.aside_s
            dropped = failure is not None and _dropped(
                failure, is_slow=limit.is_slow(took_s - late_s, kind)
            )
            if dropped is None or late_s > took_s * LATE_SHARE:
                return
            size = limit.observe(
                took_s - late_s, dropped=dropped, in_flight=in_flight, now=now, kind=kind
            )
            if size != self._slots.size:
                self._slots.resize(size)

        try:
            reply = await self.inner.send(request, own)
        except LookupFailed as failure:
            observe(failure)
            raise
        else:
            observe(None)
            return reply
        finally:
            self._lag.end()


def _dropped(failure: LookupFailed, *, is_slow: bool) -> bool | None:
    """Whether whoever was asked could not cope; `None` when an outcome says nothing about that.

    Refusing at once, or with an error, is no sign of how many can be asked.
    """
    if isinstance(failure, NotAsked):
        return None
    if failure.reason is Reason.RATE_LIMITED or failure.retry_after_s is not None:
        return True
    return True if failure.reason in CUT_OFF and is_slow else None
