"""A tenant of a whole sidecar as a subject, asked by the client that Pedkai installs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from pedkai_bss_client import SidecarBSSAdapter

from adapters.bss_adapter import BillingAccountInfo, BSSAdapter, RevenueResult
from tests.contract.over_http import OverHttp
from tests.contract.subject import Subject


class ThroughClient(BSSAdapter):
    """The client's models equal the contract's by name, so one becomes the other as it is."""

    def __init__(self, client: SidecarBSSAdapter) -> None:
        self._client = client

    async def get_billing_account(self, customer_id: UUID) -> BillingAccountInfo | None:
        account = await self._client.get_billing_account(customer_id)
        return None if account is None else BillingAccountInfo(**account.model_dump())

    async def get_revenue_at_risk(self, customer_ids: list[UUID]) -> RevenueResult:
        return RevenueResult(**(await self._client.get_revenue_at_risk(customer_ids)).model_dump())

    async def check_disputes(self, customer_ids: list[UUID]) -> list[UUID]:
        return await self._client.check_disputes(customer_ids)


@asynccontextmanager
async def through_client(subject: Subject) -> AsyncIterator[Subject]:
    """The same subject, with the client in the place of plain HTTP."""
    assert isinstance(subject.adapter, OverHttp)
    pod, tenant = subject.adapter.pod, subject.adapter.tenant
    # Client, sidecar and vendor share an event loop here, so the deadline that counts is the
    # sidecar's. The client's own is the business of tests/client.
    async with SidecarBSSAdapter(pod.url, tenant=tenant, timeout=30) as client:
        yield replace(subject, adapter=ThroughClient(client))
