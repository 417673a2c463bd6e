"""The breaker with the slot in hand: from here on time counts, and the outcome is judged."""

from collections.abc import Callable
from typing import Generic, TypeVar

from adapters.call import Call
from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.guard.breaker import Breaker, PermitHeld
from proxy.guard.clock import Clock, loop_time
from proxy.guard.lag import LoopLag
from proxy.guard.sender import Sender
from proxy.guard.verdict import Verdict, verdict

Request = TypeVar("Request")
Reply = TypeVar("Reply")


def _nothing(_failure: Reason | None, _took_s: float) -> None:
    """Nobody counts."""


class Permit(Generic[Request, Reply]):
    """A permit for each exchange, given back whatever becomes of it.

    Cancellation is the caller's own and says nothing about the vendor: an exchange whose budget
    ended comes as `LookupFailed(deadline)`.
    """

    def __init__(
        self,
        inner: Sender[Request, Reply],
        *,
        breaker: Breaker,
        lag: LoopLag,
        on_exchange: Callable[[Reason | None, float], object] = _nothing,
        clock: Clock = loop_time,
    ) -> None:
        """`on_exchange` is told how those ended that really asked, and how long they took."""
        self.inner = inner
        self._breaker = breaker
        self._lag = lag
        self._on_exchange = on_exchange
        self._clock = clock

    async def send(self, request: Request, call: Call) -> Reply:
        permit = self._breaker.permit()
        own, began_at = call.until(call.budget), self._clock()
        late_before_s = self._lag.begin()
        try:
            reply = await self.inner.send(request, own)
        except LookupFailed as failure:
            took_s = self._clock() - began_at - own.aside_s
            self._judge(permit, failure, took_s, self._lag.late_s() - late_before_s)
            raise
        else:
            took_s = self._clock() - began_at - own.aside_s
            self._judge(permit, None, took_s, self._lag.late_s() - late_before_s)
            return reply
        finally:
            self._lag.end()
            permit.neither()  # unless it has been judged

    def _judge(
        self, permit: PermitHeld, failure: LookupFailed | None, took_s: float, late_s: float
    ) -> None:
        if not isinstance(failure, NotAsked):
            self._on_exchange(None if failure is None else failure.reason, took_s)
        vendor_s = max(0.0, took_s - late_s)
        if failure is None:
            permit.success(vendor_s)
            return
        setting = self._breaker.setting
        said = verdict(failure, took_s=took_s, late_s=late_s, setting=setting)
        if said is Verdict.FAILURE:
            permit.failure(vendor_s, failure)
