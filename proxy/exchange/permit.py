"""The breaker with the slot in hand: from here on time counts, and the outcome is judged."""

from typing import Generic, TypeVar

from adapters.call import Call
from adapters.outcome import LookupFailed
from proxy.guard.breaker import Breaker, PermitHeld
from proxy.guard.clock import Clock, loop_time
from proxy.guard.lag import LoopLag
from proxy.guard.sender import Sender
from proxy.guard.verdict import Verdict, verdict

Request = TypeVar("Request")
Reply = TypeVar("Reply")


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
        clock: Clock = loop_time,
    ) -> None:
        self.inner = inner
        self._breaker = breaker
        self._lag = lag
        self._clock = clock

    async def send(self, request: Request, call: Call) -> Reply:
        permit = self._breaker.permit()
        began_at = self._clock()
        try:
            with self._lag.watched() as watch:
                try:
                    reply = await self.inner.send(request, call)
                except LookupFailed as failure:
                    self._judge(permit, failure, self._clock() - began_at, watch.late_s())
                    raise
                self._judge(permit, None, self._clock() - began_at, watch.late_s())
                return reply
        finally:
            permit.neither()  # unless it has been judged

    def _judge(
        self, permit: PermitHeld, failure: LookupFailed | None, took_s: float, late_s: float
    ) -> None:
        setting = self._breaker.setting
        said = verdict(failure, took_s=took_s, late_s=late_s, setting=setting)
        vendor_s = max(0.0, took_s - late_s)
        if failure is None:
            permit.success(vendor_s)
        elif said is Verdict.FAILURE:
            permit.failure(vendor_s, failure)
