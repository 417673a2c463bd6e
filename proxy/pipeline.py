"""The way of a question, on one page: all stacks, in request order.

The order is pinned by a test. Who wants another moves a line here, with the reason beside it.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from adapters.call import Call
from adapters.exchange import Exchange, VendorReply, VendorRequest
from adapters.lookup import LookupAdapter
from adapters.outcome import NotAsked
from proxy.cache.layer import Cache
from proxy.exchange.admission import Admission
from proxy.exchange.bulkhead import Bulkhead, of_one_kind
from proxy.exchange.hedge import Hedge
from proxy.exchange.permit import Permit
from proxy.exchange.retry import Retry, may_pass
from proxy.guard.guard import Guard
from proxy.guard.sender import Sender
from proxy.lookup.coalesce import Coalesce
from proxy.lookup.fail_open import FailOpen, Spawn
from proxy.lookup.failures import Report

Request = TypeVar("Request")
Reply = TypeVar("Reply")
Stack: TypeAlias = tuple[type[Sender[Any, Any]], ...]

LOOKUP: tuple[type[LookupAdapter], ...] = (
    Cache,  # outermost: what was learned a moment ago. It waits for a store for milliseconds only,
    # so a hit needs no leash, and needs nobody whom others wait for
    FailOpen,  # whatever breaks below, or hangs, the pod gets a typed answer in time
    Coalesce,  # who is being asked about already is waited for; innermost, next to who is asked
)  # then the vendor's adapter, which makes exchanges of a question

EXCHANGE: Stack = (
    Retry,  # outermost: each try passes everything below again, and is judged by itself
    Hedge,  # beside a slow try, below the retries: a pair of tries is retried as one
    Admission,  # the breaker, before anybody queues: an open one answers at once
    Bulkhead,  # a slot per exchange; waiting for one is not yet the vendor's slowness
    Permit,  # the breaker again, with the slot in hand: from here on time counts
)  # then the credentials of the moment, fetched by who has a slot, and the wire

TOKEN: Stack = (
    Admission,  # a dead issuer is not asked; what is above has one attempt at a time for all,
    Permit,  # and rests after one that failed: it needs neither slots nor retries
)  # then the request of a token, and what is made of the reply

DATABASE: Stack = (
    Retry,  # outermost, as of an exchange
    Admission,  # before anybody queues, as of an exchange
    Bulkhead,  # as many as the pool has connections, so that nobody waits inside of the pool
    Permit,  # the slot in hand, as of an exchange
)  # then the reader


def lookup_stack(
    adapter: LookupAdapter,
    *,
    spawn: Spawn,
    report: Report,
    most_customers: int,
    keep: Callable[[LookupAdapter], Cache] | None = None,
) -> LookupAdapter:
    """The layers around an adapter. `report` gets the type names of what an adapter raises;
    `most_customers` may be waited for at once; `keep` makes the cache, if there is one.
    """
    makers: Mapping[type[LookupAdapter], Callable[[LookupAdapter], LookupAdapter]] = {
        Cache: keep or _nothing_around,
        FailOpen: partial(FailOpen, spawn=spawn, report=report),
        Coalesce: partial(Coalesce, spawn=spawn, report=report, most_customers=most_customers),
    }
    for layer in reversed(LOOKUP):
        adapter = makers[layer](adapter)
    return adapter


def flights(lookups: LookupAdapter) -> int:
    """Shared lookups that are under way in a stack."""
    return sum(layer.flights for layer in _layers(lookups) if isinstance(layer, Coalesce))


async def forget(lookups: LookupAdapter, customer_id: UUID) -> None:
    """In every layer of a stack. What this process knows is gone when it suspends for the first
    time. Raises `NotForgotten`.
    """
    layers = tuple(_layers(lookups))
    for layer in layers:
        if isinstance(layer, Coalesce):
            layer.forget(customer_id)
    for layer in layers:
        if isinstance(layer, Cache):
            await layer.forget(customer_id)


def _layers(lookups: LookupAdapter) -> Iterator[LookupAdapter]:
    """Outermost first, the adapter last."""
    layer: LookupAdapter | None = lookups
    while layer is not None:
        yield layer
        layer = getattr(layer, "inner", None)


def _nothing_around(inner: LookupAdapter) -> LookupAdapter:
    return inner


def guarded(stack: Stack, sender: Sender[Request, Reply], guard: Guard) -> Sender[Request, Reply]:
    """The layers around who is asked: `stack` is one of those above, `guard` is theirs alone."""
    for layer in reversed(stack):
        sender = _MAKERS[layer](sender, guard)
    return sender


class GuardedExchange(Exchange):
    """The guard around a vendor."""

    def __init__(self, vendor: Exchange, guard: Guard) -> None:
        self.inner = guarded(EXCHANGE, vendor, guard)
        self._vendor = vendor
        self._witness = guard.around.witness

    async def send(self, request: VendorRequest, call: Call) -> VendorReply:
        try:
            return await self.inner.send(request, call)
        except NotAsked as failure:
            self._witness.exchanged(failure.reason, None)  # the others are told by who let them out
            raise

    def within(self, request: VendorRequest, link: str) -> VendorRequest | None:
        return self._vendor.within(request, link)


def _retry(inner: Sender[Any, Any], guard: Guard) -> Retry[Any, Any]:
    return Retry(
        inner,
        setting=guard.setting.retry,
        budget=guard.retries,
        retryable=guard.retryable or may_pass,
        on_retry=guard.around.witness.retried,
        luck=guard.around.luck,
        clock=guard.around.clock,
    )


def _hedge(inner: Sender[Any, Any], guard: Guard) -> Hedge[Any, Any]:
    return Hedge(
        inner,
        setting=guard.setting.hedging,
        latencies=guard.latencies,
        budget=guard.hedges,
        has_room=lambda: guard.slots.has_room,
        on_hedge=guard.around.witness.hedged,
        clock=guard.around.clock,
    )


def _admission(inner: Sender[Any, Any], guard: Guard) -> Admission[Any, Any]:
    return Admission(inner, breaker=guard.breaker)


def _bulkhead(inner: Sender[Any, Any], guard: Guard) -> Bulkhead[Any, Any]:
    return Bulkhead(
        inner,
        slots=guard.slots,
        limit=guard.limit,
        lag=guard.around.lag,
        clock=guard.around.clock,
        kind=guard.kind or of_one_kind,
    )


def _permit(inner: Sender[Any, Any], guard: Guard) -> Permit[Any, Any]:
    return Permit(
        inner,
        breaker=guard.breaker,
        lag=guard.around.lag,
        clock=guard.around.clock,
        on_exchange=guard.around.witness.exchanged,
    )


_MAKERS: Mapping[type[Sender[Any, Any]], Callable[[Sender[Any, Any], Guard], Sender[Any, Any]]] = {
    Retry: _retry,
    Hedge: _hedge,
    Admission: _admission,
    Bulkhead: _bulkhead,
    Permit: _permit,
}
