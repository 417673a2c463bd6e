"""A tenant of a whole sidecar as a subject: the three methods, asked over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from pydantic import BaseModel

from adapters.bss_adapter import BillingAccountInfo, BSSAdapter, RevenueResult
from adapters.outcome import LookupFailed, Reason
from adapters.simulator.faults import Refuse
from adapters.simulator.population import Shape
from tests.contract.numbering import customers_of
from tests.contract.subject import Subject
from tests.contract.vendors import plan_name, warmed
from tests.servers.sidecar import Pod, Reply, demonstration

Model = TypeVar("Model", bound=BaseModel)


class OverHttp(BSSAdapter):
    """What Pedkai has in its hand."""

    def __init__(self, pod: Pod, tenant: str) -> None:
        self.pod = pod
        self.tenant = tenant

    async def get_billing_account(self, customer_id: UUID) -> BillingAccountInfo | None:
        reply = await self.pod.account(self.tenant, customer_id)
        if reply.status == 404:
            assert reply.json()["type"] == "urn:bss-sidecar:problem:unknown-customer"
            return None
        return _model(BillingAccountInfo, reply)

    async def get_revenue_at_risk(self, customer_ids: list[UUID]) -> RevenueResult:
        reply = await self.pod.revenue(self.tenant, customer_ids)
        assert reply.status == 200
        result = _model(RevenueResult, reply)
        assert result.is_estimate or "bss-degraded" not in reply.headers
        return result

    async def check_disputes(self, customer_ids: list[UUID]) -> list[UUID]:
        reply = await self.pod.disputes(self.tenant, customer_ids)
        _checked(reply)
        assert list(reply.json()) == ["customer_ids", "unavailable_customer_ids"]
        return [UUID(one) for one in reply.json()["customer_ids"]]


@asynccontextmanager
async def vendor_through_sidecar(shape: Shape, scratch: Path) -> AsyncIterator[Subject]:
    """The tenant of one vendor, which is cut off as in `tests.contract.vendors`."""
    async with demonstration(scratch) as running:

        async def restore() -> None:
            """It is well again when a probe has found that out."""
            await running.vendors[shape].faults.clear()
            await warmed(subject)

        subject = Subject(
            adapter=OverHttp(running.data, f"{shape}_demo"),
            source=shape,
            is_estimate=False,
            customers=customers_of(f"{shape}_demo", plan_name(shape)),
            cut=lambda: running.vendors[shape].faults.set(Refuse()),
            restore=restore,
        )
        await warmed(subject)
        yield subject


def _model(kind: type[Model], reply: Reply) -> Model:
    _checked(reply)
    assert list(reply.json()) == list(kind.model_fields)
    return kind.model_validate_json(reply.body)


def _checked(reply: Reply) -> None:
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-correlation-id"]
    if reply.status == 503:
        assert reply.headers["content-type"].startswith("application/problem+json")
        assert 1 <= int(reply.headers["retry-after"]) <= 60
        raise LookupFailed(Reason(reply.json()["reason"]))
    assert reply.status == 200
