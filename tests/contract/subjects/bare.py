"""An adapter with only the three methods of the contract, as an engineer would first write it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from adapters.bss_adapter import BillingAccountInfo, BSSAdapter, RevenueResult
from adapters.lookup import WrappedAdapter
from tests.contract.subject import Customer, Subject, numbered

VENDOR = "bare"


class Ledger(BSSAdapter):
    """A billing system in a dictionary. It raises when it is closed."""

    def __init__(self, customers: Mapping[UUID, Customer]) -> None:
        self._customers = customers
        self.is_open = True

    def _customer(self, customer_id: UUID) -> Customer | None:
        if not self.is_open:
            raise ConnectionError("the ledger is closed")
        return self._customers.get(customer_id)

    async def get_billing_account(self, customer_id: UUID) -> BillingAccountInfo | None:
        customer = self._customer(customer_id)
        if customer is None or not customer.known:
            return None
        fee = None if customer.fee is None else float(customer.fee)
        return BillingAccountInfo(
            customer_id=customer_id, plan_name=customer.plan_name, monthly_fee=fee
        )

    async def get_revenue_at_risk(self, customer_ids: list[UUID]) -> RevenueResult:
        raise NotImplementedError("the wrapper sums the accounts itself")

    async def check_disputes(self, customer_ids: list[UUID]) -> list[UUID]:
        customers = [self._customer(customer_id) for customer_id in customer_ids]
        return [one.customer_id for one in customers if one is not None and one.disputes]


def _customer(number: int) -> Customer:
    known, priced = number % 10 != 9, number % 10 < 8
    return Customer(
        numbered("bare", number),
        known=known,
        fee=Decimal(1999 + 7 * number) / 100 if priced else None,
        plan_name=f"Plan {number % 4}" if known else None,
        yearly=number % 10 == 7,
        products=2 if number % 10 == 6 else 1,
        disputes=number % 50 == 5,
        disputed_long_ago=number % 50 == 25,
    )


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    customers = [_customer(number) for number in range(200)]
    ledger = Ledger({customer.customer_id: customer for customer in customers})

    async def cut() -> None:
        ledger.is_open = False

    async def restore() -> None:
        ledger.is_open = True

    yield Subject(
        adapter=WrappedAdapter(ledger, source="bare"),
        source="bare",
        is_estimate=False,
        customers=customers,
        cut=cut,
        restore=restore,
    )
