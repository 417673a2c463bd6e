"""The contract between Pedkai and any billing system: three questions, two models.

Source: BSS Integration Contract 1.0, section 2. Field names and types are the contract's own.
Personal data (section 5) is kept out of every `repr` and every validation error.
"""

from abc import ABC, abstractmethod
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class _ContractModel(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False
    )


class BillingAccountInfo(_ContractModel):
    """What the billing system knows of one customer (contract 2.1)."""

    customer_id: UUID = Field(repr=False)
    """Pedkai's own id of the customer."""
    account_id: UUID | None = Field(default=None, repr=False)
    """The account on the vendor's side; of several, the one that carries the largest part."""
    plan_name: str | None = Field(default=None, repr=False)
    """Display name of the service plan; of several, the one with the largest fee."""
    monthly_fee: float | None = Field(default=None, repr=False)
    """Recurring charge of a month in `currency`; `None` when there is no decidable price."""
    currency: str = Field(default="GBP", pattern=r"^[A-Z]{3}$")
    """ISO 4217 code."""


class RevenueResult(_ContractModel):
    """The revenue at risk of a set of customers (contract 2.2)."""

    total_revenue_at_risk: float | None = Field(default=None, repr=False)
    """Sum of the monthly fees of the priced customers; `None` when there is none."""
    is_estimate: bool
    """`True` unless every figure is live. Mandatory: it has no default on purpose."""
    source: str
    """Which adapter answered: `amdocs`, `cerillion`, `csg`, `bss_local`, `mock`, …"""
    priced_customer_count: int = Field(default=0, ge=0)
    unpriced_customer_count: int = Field(default=0, ge=0)
    requires_manual_valuation: bool = False
    """`True` as soon as one customer is unpriced."""


class BSSAdapter(ABC):
    """A billing system that answers the three questions of the contract."""

    @abstractmethod
    async def get_billing_account(self, customer_id: UUID) -> BillingAccountInfo | None:
        """The customer's account, or `None` when the billing system says there is no such customer.

        An exception means that nobody could say.
        """

    @abstractmethod
    async def get_revenue_at_risk(self, customer_ids: list[UUID]) -> RevenueResult:
        """Aggregate of the monthly fees of these customers; never with a guessed price."""

    @abstractmethod
    async def check_disputes(self, customer_ids: list[UUID]) -> list[UUID]:
        """Those of the customers with an active billing dispute in the last 30 days."""
