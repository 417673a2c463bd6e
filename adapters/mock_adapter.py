"""A billing system in memory, for tests and demonstrations: no vendor, no network, no truth.

Everything it says is made up, so `is_estimate` is always `True`. It does what a test tells it to:
answer, fail, hang, or say something else about one customer.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID

from adapters.call import Call
from adapters.lookup import LookupAdapter
from adapters.outcome import Billing, Dispute, Found, Learn, Lookup, LookupFailed, Missing
from adapters.ports import Ports
from adapters.simulator.mock import mock_billing, mock_disputed

_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)  # the population's dates are counted back from it


class MockBSSAdapter(LookupAdapter):
    """Answers from `accounts`; a customer who is not in it is missing.

    `disputed` are those of them with an active dispute. `scripted_billing` and `scripted_disputes`
    hold what is said of single customers instead, of whatever kind, an `Unavailable` included.
    """

    source = "mock"
    is_estimate = True

    def __init__(
        self,
        accounts: Mapping[UUID, Billing],
        disputed: Collection[UUID] = (),
        *,
        reporting_currency: str = "GBP",
    ) -> None:
        self._accounts = accounts
        self._disputed = frozenset(disputed)
        self._failure: LookupFailed | None = None
        self._answering = asyncio.Event()
        self._answering.set()
        self.reporting_currency = reporting_currency
        self.scripted_billing: dict[UUID, Lookup[Billing]] = {}
        self.scripted_disputes: dict[UUID, Lookup[Dispute]] = {}
        self.asked: deque[tuple[UUID, ...]] = deque(maxlen=1_000)
        """The customers of the latest questions."""
        self.hanging = asyncio.Event()
        """Set as soon as a question hangs."""

    @classmethod
    def from_ports(cls, ports: Ports) -> "MockBSSAdapter":
        """The 1,000 customers of the demonstration, under the name of this tenant."""
        accounts = mock_billing(now=_ANY_DAY, tenant=ports.tenant)
        return cls(
            {one: billing for one, billing in accounts.items() if billing is not None},
            mock_disputed(now=_ANY_DAY, tenant=ports.tenant),
            reporting_currency=ports.reporting_currency,
        )

    def fail_with(self, failure: LookupFailed | None) -> None:
        """Every question fails like this; `None`: no longer."""
        self._failure = failure

    def hang(self) -> None:
        """No question is answered before `release`, as with a vendor who accepts and is silent."""
        self._answering.clear()

    def release(self) -> None:
        self._answering.set()
        self.hanging.clear()

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        await self._be_asked(customer_ids)
        for customer_id in customer_ids:
            learn(customer_id, self.scripted_billing.get(customer_id) or self._billing(customer_id))

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        await self._be_asked(customer_ids)
        for customer_id in customer_ids:
            learn(
                customer_id, self.scripted_disputes.get(customer_id) or self._dispute(customer_id)
            )

    async def _be_asked(self, customer_ids: Sequence[UUID]) -> None:
        self.asked.append(tuple(customer_ids))
        if not self._answering.is_set():
            self.hanging.set()
            await self._answering.wait()
        if self._failure is not None:
            raise LookupFailed(
                self._failure.reason,
                self._failure.detail,
                retry_after_s=self._failure.retry_after_s,
            )

    def _billing(self, customer_id: UUID) -> Lookup[Billing]:
        billing = self._accounts.get(customer_id)
        return Missing() if billing is None else Found(billing)

    def _dispute(self, customer_id: UUID) -> Lookup[Dispute]:
        if customer_id not in self._accounts:
            return Missing()
        return Found(Dispute(active=customer_id in self._disputed))
