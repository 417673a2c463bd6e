"""A data listener on a real socket, with doubles for the rest of the sidecar behind it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import aiohttp

from adapters.call import Call
from adapters.lookup import LookupAdapter
from adapters.outcome import Billing, Dispute, Found, Learn, Lookup
from proxy.cache.vault import NotForgotten
from proxy.http.addresses import Address
from proxy.http.data import DataRoutes, Journal
from proxy.http.door import Door
from proxy.http.gate import Gate
from proxy.http.listeners import Listener
from proxy.http.ports import Desk, Runtime
from proxy.lifecycle import Tasks
from proxy.pipeline import lookup_stack
from proxy.telemetry.records import Question, QuestionRecord, RefusalRecord
from proxy.telemetry.tracing import Headers, Told

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def found(fee: str, currency: str = "GBP") -> Found[Billing]:
    return Found(Billing(plan_name="Plan", monthly_fee=Decimal(fee), currency=currency))


class AdapterDouble(LookupAdapter):
    """Answers from two dictionaries; whoever is in neither is left out."""

    source = "double"

    def __init__(self) -> None:
        self.billing: dict[UUID, Lookup[Billing]] = {}
        self.disputes: dict[UUID, Lookup[Dispute]] = {}
        self.calls: list[Call] = []
        self.raises: Exception | None = None
        self.held: asyncio.Event | None = None
        """When set, questions wait for it after what they learn."""
        self.gate: asyncio.Event | None = None
        """When set, questions wait for it before they learn anything."""
        self.noting: Callable[[Call], object] = lambda _call: None
        """Called with each call that arrives, as a layer that notes what it did."""
        self.asked = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        await self._answer(customer_ids, call, learn, self.billing)

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        await self._answer(customer_ids, call, learn, self.disputes)

    async def _answer(
        self, asked: Sequence[UUID], call: Call, learn: Learn[Any], known: Mapping[UUID, Any]
    ) -> None:
        self.calls.append(call)
        self.noting(call)
        self.asked.set()
        if self.gate is not None:
            await self.gate.wait()
        for customer_id in asked:
            if customer_id in known:
                learn(customer_id, known[customer_id])
        if self.raises is not None:
            raise self.raises
        try:
            if self.held is not None:
                await self.held.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@dataclass
class RuntimeDouble:
    desks: dict[str, Desk] = field(default_factory=dict)
    default_tenant: str | None = None
    single_budget_s: float = 0.45
    batch_budget_s: float = 1.9
    batch_ids: int = 200
    body_bytes: int = 64 * 1024

    def desk(self, tenant: str) -> Desk | None:
        return self.desks.get(tenant)


@dataclass
class Sidecar:
    """What a test holds of a data listener and what stands behind it."""

    adapter: AdapterDouble = field(default_factory=AdapterDouble)
    runtime: RuntimeDouble = field(default_factory=RuntimeDouble)
    records: list[QuestionRecord] = field(default_factory=list)
    begun: list[Question] = field(default_factory=list)
    refusals: list[RefusalRecord] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    forgotten: list[UUID] = field(default_factory=list)
    not_forgotten: NotForgotten | None = None
    """Raised when a customer is to be forgotten."""
    fails: str = ""
    """Who of the journal raises: `answered`, or `told`, whoever makes spans."""
    leases: int = 0
    most_customers: int = 10_000

    def __post_init__(self) -> None:
        self.tasks = Tasks(self.errors.append)
        self.recorded = asyncio.Event()
        stack = lookup_stack(
            self.adapter,
            spawn=self.tasks.spawn,
            report=lambda _types: None,
            most_customers=self.most_customers,
        )
        self.desk = Desk(tenant="acme", connection="vendor", adapter=stack, forget=self._forget)
        self.runtime.desks["acme"] = self.desk

    async def _forget(self, customer_id: UUID) -> None:
        self.forgotten.append(customer_id)
        if self.not_forgotten is not None:
            raise self.not_forgotten

    @contextmanager
    def lease(self) -> Iterator[Runtime]:
        self.leases += 1
        try:
            yield self.runtime
        finally:
            self.leases -= 1

    @contextmanager
    def _traced(self, _question: Question, _headers: Headers) -> Iterator[Told]:
        yield self._told

    def _told(self, _record: QuestionRecord) -> None:
        if self.fails == "told":
            raise RuntimeError("no spans")

    def _record(self, record: QuestionRecord) -> None:
        if self.fails == "answered":
            raise RuntimeError("no trail")
        self.records.append(record)
        self.recorded.set()

    def door(self, *, clock: Callable[[], datetime] = lambda: NOW) -> Door:
        journal = Journal(
            asked=self.begun.append,
            answered=self._record,
            error=self.errors.append,
            traced=self._traced,
        )
        routes = DataRoutes(self.lease, clock, journal).routes()
        return Door("data", routes, on_refusal=self.refusals.append, on_error=self.errors.append)


@dataclass
class Client:
    """The pod."""

    session: aiohttp.ClientSession
    base: str
    listener: Listener
    headers: dict[str, str] = field(default_factory=lambda: {"X-Tenant-ID": "acme"})

    @asynccontextmanager
    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        async with self.session.request(
            method, self.base + path, headers={**self.headers, **(headers or {})}, **more
        ) as answer:
            yield answer

    async def raw(self, request: bytes) -> bytes:
        """Everything that comes back to these bytes, until the sidecar closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.listener.bound.port)
        writer.write(request)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def serving(door: Door, gate: Gate, address: Address | None = None) -> AsyncIterator[Client]:
    listener = Listener(door, address or Address(), gate)
    await listener.open()
    base = f"http://127.0.0.1:{listener.bound.port}"
    async with aiohttp.ClientSession() as session:
        try:
            yield Client(session, base, listener)
        finally:
            await listener.close(5)
