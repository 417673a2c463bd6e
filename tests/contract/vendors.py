"""The adapter of a vendor behind mutual TLS as a subject, over a pretend vendor."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path

from adapters.outcome import LookupFailed
from adapters.simulator.faults import Refuse
from adapters.simulator.population import Shape
from tests.contract.numbering import customers_of
from tests.contract.subject import Customer, Subject
from tests.servers.accounting import Row, fee
from tests.servers.vendors import PATIENT, Setup, line, vendor_data


@asynccontextmanager
async def vendor_subject(shape: Shape, scratch: Path) -> AsyncIterator[Subject]:
    """The vendor is cut off by nobody listening any more at its address."""
    async with line(Setup(shape=shape, wire=PATIENT), scratch) as made:
        subject = Subject(
            adapter=made.adapter,
            source=shape,
            is_estimate=False,
            customers=customers_of(f"{shape}_demo", plan_name(shape)),
            cut=lambda: made.vendor.faults.set(Refuse()),
            restore=made.vendor.faults.clear,
        )
        await warmed(subject)
        yield subject


async def warmed(subject: Subject) -> None:
    """Credentials are read and a token is fetched, so that a cut meets a line that was good."""
    first: Customer = subject.customers[0]
    for _ in range(50):
        with suppress(LookupFailed):  # on a busy machine the first of it all can come late
            assert await subject.adapter.get_billing_account(first.customer_id) is not None
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the subject does not answer")


def plan_name(shape: Shape) -> Callable[[int], str | None]:
    """The plans of customers who have one plain product, or two, from the vendor's rows."""
    rows = {row["id"]: row for row in vendor_data(shape).rows("product")}

    def name(number: int) -> str | None:
        places = {0: (0,), 5: (0,), 6: (0, 1)}.get(number % 10, ())
        products = [rows[f"PRD-{number:06d}-{place}"] for place in places]
        largest = max(products, key=_fee, default=None)
        return None if largest is None else str(largest["productOffering"]["name"])

    return name


def _fee(product: Row) -> Decimal:
    return fee([product]) or Decimal(0)
