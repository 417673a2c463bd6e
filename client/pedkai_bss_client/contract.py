"""The contract as Pedkai's code has it: three questions, two models, the same names and defaults.

Source: BSS Integration Contract 1.0, section 2. Personal data (section 5) stays out of every
`repr` and every validation error.
"""

from abc import ABC, abstractmethod
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class _ContractModel(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True, allow_inf_nan=False)


class BillingAccountInfo(_ContractModel):
    """What the billing system knows of one customer (contract 2.1)."""

    customer_id: UUID = Field(repr=False)
    account_id: UUID | None = Field(default=None, repr=False)
    plan_name: str | None = Field(default=None, repr=False)
    monthly_fee: float | None = Field(default=None, repr=False)
    """Recurring charge of a month in `currency`; `None` when there is no decidable price."""
    currency: str = "GBP"
    """ISO 4217 code."""


class RevenueResult(_ContractModel):
    """The revenue at risk of a set of customers (contract 2.2)."""

    total_revenue_at_risk: float | None = Field(default=None, repr=False)
    """Sum of the monthly fees of the priced customers; `None` when there is none."""
    is_estimate: bool = True
    source: str = "mock"
    """Which adapter answered; `unavailable` when the sidecar did not."""
    priced_customer_count: int = 0
    unpriced_customer_count: int = 0
    requires_manual_valuation: bool = False


class BSSAdapter(ABC):
    """A billing system that answers the three questions of the contract."""

    @abstractmethod
    async def get_billing_account(self, customer_id: UUID) -> BillingAccountInfo | None:
        """The customer's account, or `None` when there is no such customer."""

    @abstractmethod
    async def get_revenue_at_risk(self, customer_ids: list[UUID]) -> RevenueResult:
        """Aggregate of the monthly fees of these customers."""

    @abstractmethod
    async def check_disputes(self, customer_ids: list[UUID]) -> list[UUID]:
        """Those of the customers with an active billing dispute in the last 30 days."""
