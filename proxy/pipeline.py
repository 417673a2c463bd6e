"""The way of a question, on one page: both stacks, in request order.

The order is pinned by a test. Who wants another moves a line here, with the reason beside it.
"""

from collections.abc import Callable, Mapping
from functools import partial

from adapters.exchange import Exchange
from adapters.lookup import LookupAdapter
from proxy.exchange.bulkhead import Bulkhead
from proxy.exchange.slots import Slots
from proxy.lookup.fail_open import FailOpen, Report, Spawn

LOOKUP: tuple[type[LookupAdapter], ...] = (
    FailOpen,  # outermost: whatever breaks below, the pod gets a typed answer in time
)  # then the vendor's adapter, which makes exchanges of a question

EXCHANGE: tuple[type[Exchange], ...] = (
    Bulkhead,  # a slot per exchange; waiting for one is not yet the vendor's slowness
)  # then the credentials of the moment, fetched by who has a slot, and the wire


def lookup_stack(adapter: LookupAdapter, *, spawn: Spawn, report: Report) -> LookupAdapter:
    """The layers around an adapter. `report` gets the type names of what an adapter raises."""
    makers: Mapping[type[LookupAdapter], Callable[[LookupAdapter], LookupAdapter]] = {
        FailOpen: partial(FailOpen, spawn=spawn, report=report)
    }
    for layer in reversed(LOOKUP):
        adapter = makers[layer](adapter)
    return adapter


def exchange_stack(wire: Exchange, *, slots: Slots) -> Exchange:
    """The guard around a wire. `slots` belong to the connection, whose status shows them."""
    makers: Mapping[type[Exchange], Callable[[Exchange], Exchange]] = {
        Bulkhead: partial(Bulkhead, slots=slots)
    }
    for layer in reversed(EXCHANGE):
        wire = makers[layer](wire)
    return wire
