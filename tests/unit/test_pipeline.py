"""The order of the layers is a decision, so it is pinned."""

from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import UUID

from adapters.call import Call
from adapters.exchange import ScriptedExchange, VendorReply
from adapters.lookup import LookupAdapter
from adapters.outcome import Billing, Dispute, Learn
from proxy.exchange.slots import Slots
from proxy.pipeline import EXCHANGE, LOOKUP, exchange_stack, lookup_stack


class Adapter(LookupAdapter):
    source = "double"

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None: ...

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None: ...


def built(stack: object) -> list[str]:
    """Type names of a stack, outermost first."""
    names = []
    while stack is not None:
        names.append(type(stack).__name__)
        stack = getattr(stack, "inner", None)
    return names


def never(_work: Coroutine[Any, Any, None]) -> Any:
    raise AssertionError("building a stack starts nothing")


def test_the_layers_of_a_lookup_stand_in_this_order() -> None:
    assert [layer.__name__ for layer in LOOKUP] == ["FailOpen"]


def test_the_layers_of_an_exchange_stand_in_this_order() -> None:
    assert [layer.__name__ for layer in EXCHANGE] == ["Bulkhead"]


def test_a_stack_is_built_in_the_order_of_its_list() -> None:
    lookups = lookup_stack(Adapter(), spawn=never, report=print)
    assert built(lookups) == [*(layer.__name__ for layer in LOOKUP), "Adapter"]
    wire = ScriptedExchange(lambda _: VendorReply(204, {}, None))
    exchanges = exchange_stack(wire, slots=Slots(1, queue_length=0))
    assert built(exchanges) == [*(layer.__name__ for layer in EXCHANGE), "ScriptedExchange"]
