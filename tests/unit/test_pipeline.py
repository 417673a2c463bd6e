"""The order of the layers is a decision, so it is pinned."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from adapters.call import Call
from adapters.exchange import Api, ScriptedExchange, VendorReply, VendorRequest
from adapters.lookup import LookupAdapter
from adapters.outcome import Billing, Dispute, Learn, LookupFailed, NotAsked, Reason
from config import settings
from proxy.cache.envelope import Envelopes
from proxy.cache.gather import DirectReads
from proxy.cache.keys import new_rings
from proxy.cache.layer import Cache
from proxy.cache.means import Means
from proxy.cache.memory import MemoryStore
from proxy.cache.rules import Lives
from proxy.cache.store import Store
from proxy.cache.vault import Vault
from proxy.guard.guard import Guard, Surroundings
from proxy.lookup.coalesce import Coalesce
from proxy.lookup.fail_open import FailOpen
from proxy.pipeline import (
    DATABASE,
    EXCHANGE,
    LOOKUP,
    TOKEN,
    GuardedExchange,
    Stack,
    flights,
    forget,
    guarded,
    lookup_stack,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASKED = VendorRequest(Api.CUSTOMER, "customer/1")


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
    assert [layer.__name__ for layer in LOOKUP] == ["Cache", "FailOpen", "Coalesce"]


def test_the_layers_of_an_exchange_stand_in_this_order() -> None:
    assert names(EXCHANGE) == ["Retry", "Hedge", "Admission", "Bulkhead", "Permit"]


def test_the_layers_around_a_token_endpoint_stand_in_this_order() -> None:
    assert names(TOKEN) == ["Admission", "Permit"]


def test_the_layers_around_a_database_stand_in_this_order() -> None:
    assert names(DATABASE) == ["Retry", "Admission", "Bulkhead", "Permit"]


def names(stack: Iterable[type]) -> list[str]:
    return [layer.__name__ for layer in stack]


def test_a_stack_of_lookups_is_built_in_the_order_of_its_list() -> None:
    lookups = lookup_stack(
        Adapter(), spawn=never, report=print, most_customers=1, keep=cache_around
    )
    assert built(lookups) == [*names(LOOKUP), "Adapter"]
    assert flights(lookups) == 0


def test_a_stack_without_a_cache_lacks_that_layer_alone() -> None:
    lookups = lookup_stack(Adapter(), spawn=never, report=print, most_customers=1)
    assert built(lookups) == ["FailOpen", "Coalesce", "Adapter"]


def cache_around(inner: LookupAdapter, store: Store | None = None) -> Cache:
    store = store or MemoryStore(entries=9, size=9000)
    means = Means(Envelopes(new_rings()), DirectReads(store), store)
    lives = Lives(ttl_ms=1000, negative_ttl_ms=1000)
    vault = Vault(means, lives, spawn=never, pending_writes=1)
    return Cache(inner, tenant="acme", connection="vendor", vault=vault)


async def test_a_customer_is_forgotten_by_the_store_and_by_who_is_asking_already() -> None:
    told: list[str] = []

    class Told(MemoryStore):
        async def forget(self, *_: object) -> None:
            told.append("store")

    class Sharing(Coalesce):
        def forget(self, customer_id: UUID) -> None:
            told.append("flights")

    store = Told(entries=1, size=1)
    shared = Sharing(Adapter(), spawn=never, report=print, most_customers=1)
    lookups = FailOpen(cache_around(shared, store), spawn=never, report=print)
    await forget(lookups, UUID(int=1))
    assert told == ["flights", "store"]


@pytest.mark.parametrize("stack", [EXCHANGE, TOKEN, DATABASE])
def test_a_guard_is_built_in_the_order_of_its_list(stack: Stack) -> None:
    sender = guarded(stack, vendor(), Guard.of("vendor", settings.Guard()))
    assert built(sender) == [*names(stack), "ScriptedExchange"]


def vendor(answer: LookupFailed | None = None) -> ScriptedExchange:
    def reply(_request: VendorRequest) -> VendorReply:
        if answer is not None:
            raise answer
        return VendorReply(204, {}, None)

    return ScriptedExchange(reply)


class Counting:
    """A witness that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def exchanged(self, failure: Reason | None, took_s: float | None) -> None:
        left = "asked" if took_s is not None else "not asked"
        self.told.append(f"{failure or 'ok'}, {left}")

    def retried(self) -> None:
        self.told.append("retried")

    def hedged(self) -> None:
        self.told.append("hedged")

    def reconnected(self) -> None:
        self.told.append("reconnected")


async def told_of(answer: LookupFailed | None, guard: Guard, counting: Counting) -> list[str]:
    """What is told of one exchange that ends so."""
    counting.told.clear()
    call = Call(deadline=asyncio.get_running_loop().time() + 10, asked_at=NOW)
    with suppress(LookupFailed):
        await GuardedExchange(vendor(answer), guard).send(ASKED, call)
    return list(counting.told)


async def test_each_try_that_left_is_told_once_and_so_is_what_did_not_leave() -> None:
    counting = Counting()
    around = Surroundings(witness=counting, luck=lambda: 0.0)
    guard = Guard.of("vendor", settings.Guard(), around=around)
    assert await told_of(None, guard, counting) == ["ok, asked"]
    assert await told_of(LookupFailed(Reason.UNREACHABLE), guard, counting) == [
        "unreachable, asked",
        "retried",
        "unreachable, asked",
    ]
    assert await told_of(NotAsked(Reason.AUTH), guard, counting) == ["auth, not asked"]
    guard.breaker.force("open")
    assert await told_of(None, guard, counting) == ["breaker_open, not asked"]
    assert guard.may_repeat() is False, "the one retry of the first second is gone"


def test_a_repeat_of_the_http_client_is_a_retry_and_told() -> None:
    counting = Counting()
    around = Surroundings(witness=counting, clock=lambda: 0.0)
    guard = Guard.of("vendor", settings.Guard(), around=around)
    assert [guard.may_repeat(), guard.may_repeat()] == [True, False]
    assert counting.told == ["reconnected"]
