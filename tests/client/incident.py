"""Pedkai's incident path, as far as the adapter sees it, in words of our own.

The incident service is handed a `bss_adapter`. While it creates an incident it awaits the revenue
at risk of the customers concerned, and goes on without it whatever is raised.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from pydantic import BaseModel


class PedkaiRevenueResult(BaseModel):
    """The fields that Pedkai's model has, with its defaults."""

    total_revenue_at_risk: float | None = None
    is_estimate: bool = True
    source: str = "mock"
    priced_customer_count: int = 0
    unpriced_customer_count: int = 0
    requires_manual_valuation: bool = False


class PedkaiBillingAccountInfo(BaseModel):
    customer_id: UUID
    account_id: UUID | None = None
    plan_name: str | None = None
    monthly_fee: float | None = None
    currency: str = "GBP"


class PedkaiBSSAdapter(ABC):
    """What Pedkai's own adapters derive from."""

    @abstractmethod
    async def get_billing_account(self, customer_id: UUID) -> PedkaiBillingAccountInfo | None: ...

    @abstractmethod
    async def get_revenue_at_risk(self, customer_ids: list[UUID]) -> PedkaiRevenueResult: ...

    @abstractmethod
    async def check_disputes(self, customer_ids: list[UUID]) -> list[UUID]: ...


@dataclass(frozen=True)
class Incident:
    incident_id: UUID
    customer_ids: list[UUID]
    revenue_at_risk: float | None
    is_estimate: bool
    needs_valuation: bool
    source: str


@dataclass
class IncidentService:
    bss_adapter: PedkaiBSSAdapter
    swallowed: list[Exception] = field(default_factory=list)
    """What the adapter raised. Pedkai never sees it, and nor does the incident its figure."""

    async def create_incident(self, customer_ids: list[UUID]) -> Incident:
        figure = PedkaiRevenueResult()
        try:
            answered = await self.bss_adapter.get_revenue_at_risk(customer_ids)
            figure = PedkaiRevenueResult.model_validate(answered.model_dump())
        except Exception as error:  # noqa: BLE001  (as Pedkai does)
            self.swallowed.append(error)
        return Incident(
            uuid4(),
            customer_ids,
            figure.total_revenue_at_risk,
            figure.is_estimate,
            figure.requires_manual_valuation,
            figure.source,
        )
