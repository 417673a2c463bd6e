"""A member's exchanges: retries, breaker, slots, token, connection, vendor, as in `EXCHANGE`."""

from collections.abc import Callable
from typing import Any, cast

from adapters.outcome import LookupFailed, NotAsked, Reason
from proxy.exchange.bulkhead import _dropped
from proxy.exchange.retry import may_pass
from proxy.generation import FLOWS
from proxy.guard.backoff import backoff_s, is_worth_it
from proxy.guard.guard import Guard, Surroundings
from proxy.guard.slots import Slots, Turn
from proxy.guard.verdict import Verdict, verdict
from tests.bench.fleet.agenda import Agenda
from tests.bench.fleet.plan import Plan
from tests.bench.fleet.question import Exchange, Place
from tests.bench.fleet.sockets import Sockets
from tests.bench.fleet.stations import Said, Station, Vendor
from tests.bench.fleet.tokens import Tokens

TENANT = "tenant"
KIND = "product"

UNREACHABLE = LookupFailed(Reason.UNREACHABLE)
DEADLINE = LookupFailed(Reason.DEADLINE)
BUSY = LookupFailed(Reason.VENDOR_ERROR)
OVERLOAD = NotAsked(Reason.OVERLOAD)
NO_TOKEN = NotAsked(Reason.AUTH)

OnReply = Callable[[Exchange, LookupFailed | None], None]


class Queueing(Slots):
    """The product's slots, whose callers are told instead of waiting."""

    def ask(self, place: Place) -> bool:
        """Whether there is a slot now. Else the place is told later whether one came."""
        exchange = place.exchange
        if self._is_free(is_batch=exchange.is_batch):
            self._taken[exchange.is_batch] += 1
            return True
        turn = Turn(exchange.is_batch, cast("Any", place))
        evicted = self._queue.push(turn, TENANT, is_batch=exchange.is_batch)
        if evicted is not None and not evicted.comes.done():
            evicted.comes.set_result(False)
        return False


class Exchanges:
    """Of one member to the vendor."""

    def __init__(
        self,
        agenda: Agenda,
        vendor: Vendor,
        plan: Plan,
        luck: Callable[[], float],
        *,
        loop: Station,
        on_reply: OnReply,
    ) -> None:
        """`loop`: the member's event loop; `on_reply` is told how each ended."""
        wire = plan.connection.wire
        self._agenda, self._vendor, self._world = agenda, vendor, plan.world
        self._luck = luck
        self._loop = loop
        self._on_reply = on_reply
        self._timeout_s = wire.exchange_timeout
        self._limited = LookupFailed(Reason.RATE_LIMITED, retry_after_s=plan.world.retry_after_s)
        around = Surroundings(clock=agenda.clock, luck=luck)
        self.guard = Guard.of("vendor", plan.guard, concurrency=wire.concurrency, around=around)
        self.slots = Queueing(wire.concurrency, queue_length=wire.queue_length)
        self.sockets = Sockets(
            agenda,
            vendor,
            connect_timeout_s=wire.connect_timeout,
            warm=plan.warm,
            luck=luck,
            may_connect=lambda: self.guard.breaker.state_now() in FLOWS,
        )
        self.tokens = Tokens(agenda, vendor, self.sockets, plan, luck)
        self._opened_times = 0
        self.retried = 0

    def refuses(self, number: int) -> bool:
        """Whether the breaker lets none of so many begin now. It takes less time to play at once
        than one by one, and comes to the same: nothing changes within a moment.
        """
        try:
            self.guard.breaker.admit()
        except NotAsked:
            for _ in range(number):
                self.guard.retries.asked()
            return True
        return False

    def begin(self, exchange: Exchange) -> None:
        self.guard.retries.asked()
        self._try(exchange)

    def _try(self, exchange: Exchange) -> None:
        if self._agenda.now >= exchange.of.may_last_until:
            self._on_reply(exchange, DEADLINE)
            return
        try:
            self.guard.breaker.admit()
        except NotAsked as failure:
            self._on_reply(exchange, failure)
            return
        if self.slots.ask(Place(exchange, self._told)):
            self._has_slot(exchange)

    def _told(self, exchange: Exchange, has_slot: bool) -> None:  # noqa: FBT001  (a future's result)
        if has_slot:
            self._agenda.at(self._agenda.now, self._has_slot, exchange)
        else:
            self._agenda.at(self._agenda.now, self._no_place, exchange)

    def _no_place(self, exchange: Exchange) -> None:
        self._on_reply(exchange, OVERLOAD)

    def _has_slot(self, exchange: Exchange) -> None:
        if self._agenda.now >= exchange.of.may_last_until:
            self._leave(exchange, NotAsked(Reason.DEADLINE))
            return
        try:
            exchange.permit = self.guard.breaker.permit()
        except NotAsked as failure:
            self._leave(exchange, failure)
            return
        exchange.in_flight = self.slots.taken
        if self.tokens.wants(lambda has_token: self._token_came(exchange, has_token)):
            self._send(exchange)

    def _token_came(self, exchange: Exchange, has_token: bool) -> None:  # noqa: FBT001  (a waiter's)
        if has_token and self._agenda.now < exchange.of.may_last_until:
            self._send(exchange)
            return
        cast("Any", exchange.permit).neither()
        self._leave(exchange, NO_TOKEN)

    def _leave(self, exchange: Exchange, failure: LookupFailed) -> None:
        self.slots.give_back(cast("Any", exchange))
        self._on_reply(exchange, failure)

    def _send(self, exchange: Exchange) -> None:
        now, sockets = self._agenda.now, self.sockets
        is_cold = not sockets.idle
        work = self._world.exchange_cpu_s + (self._world.handshake_cpu_s if is_cold else 0.0)
        exchange.began_at, exchange.version = now, sockets.version
        send_at = self._loop.done_at(now, work)
        ready_at, waited_s, is_open = sockets.take(send_at)
        exchange.sent_at = send_at + waited_s
        ends_at = min(exchange.sent_at + self._timeout_s, exchange.of.may_last_until)
        if not is_open:
            self._agenda.at(min(ready_at, ends_at), self._never_open, exchange)
            return
        done_at, said = self._vendor.call(ready_at)
        if done_at > ends_at:
            self._agenda.at(ends_at, self._cut_off, exchange)
        else:
            self._agenda.at(done_at, self._SAID[said].__get__(self), exchange)

    def _never_open(self, exchange: Exchange) -> None:
        self.sockets.give_up()
        self._ended(exchange, UNREACHABLE)

    def _cut_off(self, exchange: Exchange) -> None:
        self.sockets.lost(self._agenda.now)
        is_late = self._agenda.now >= exchange.of.may_last_until
        self._ended(exchange, DEADLINE if is_late else UNREACHABLE)

    def _ok(self, exchange: Exchange) -> None:
        self.sockets.give_back(self._agenda.now, exchange.version, good=True)
        self._ended(exchange, None)

    def _busy(self, exchange: Exchange) -> None:
        self.sockets.give_back(self._agenda.now, exchange.version, good=True)
        self._ended(exchange, BUSY)

    def _was_limited(self, exchange: Exchange) -> None:
        self.sockets.give_back(self._agenda.now, exchange.version, good=True)
        self._ended(exchange, self._limited)

    _SAID: dict[Said, Any] = {"ok": _ok, "busy": _busy, "limited": _was_limited}  # noqa: RUF012  (nobody changes it)

    def _ended(self, exchange: Exchange, failure: LookupFailed | None) -> None:
        """Judged by the breaker, then by the limit; then others get the slot."""
        took_s = max(0.0, self._agenda.now - exchange.sent_at)
        self._judge(cast("Any", exchange.permit), failure, took_s)
        self._observe(exchange, failure, took_s)
        self.slots.give_back(cast("Any", exchange))
        if failure is not None and self._goes_again(exchange, failure):
            return
        self._on_reply(exchange, failure)

    def _judge(self, permit: Any, failure: LookupFailed | None, took_s: float) -> None:
        breaker = self.guard.breaker
        said = verdict(failure, took_s=took_s, late_s=0.0, setting=breaker.setting)
        if failure is None:
            permit.success(took_s)
        elif said is Verdict.FAILURE:
            permit.failure(took_s, failure)
        else:
            permit.neither()
        if breaker._opened_times > self._opened_times:
            self._opened_times = breaker._opened_times
            if failure is not self._limited:  # as `VendorConnection` does
                self.sockets.replace(self._agenda.now)

    def _observe(self, exchange: Exchange, failure: LookupFailed | None, took_s: float) -> None:
        limit = self.guard.limit
        if limit is None:
            return
        kind = (KIND, exchange.is_batch)
        dropped = failure is not None and _dropped(failure, is_slow=limit.is_slow(took_s, kind))
        if dropped is not None:
            in_flight = exchange.in_flight
            now = self._agenda.now
            size = limit.observe(took_s, dropped=dropped, in_flight=in_flight, now=now, kind=kind)
            if size != self.slots.size:
                self.slots.resize(size)

    def _goes_again(self, exchange: Exchange, failure: LookupFailed) -> bool:
        setting, now = self.guard.setting.retry, self._agenda.now
        exchange.retry += 1
        if exchange.retry >= setting.attempts or not may_pass(failure):
            return False
        wait_s = backoff_s(exchange.retry, self._luck(), setting)
        left_s = exchange.of.may_last_until - now
        if not is_worth_it(wait_s, left_s) or not self.guard.retries.take():
            return False
        self.retried += 1
        self._agenda.at(now + wait_s, self._try, exchange)
        return True
