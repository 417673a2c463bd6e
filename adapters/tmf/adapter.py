"""The adapter that all TM Forum vendors share: lookups over an exchange, as a profile says.

Customers are asked about side by side, and each is reported the moment it is known. What goes
wrong for one of them is that one's alone.
"""

from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from adapters.call import Call
from adapters.lookup import LookupAdapter
from adapters.outcome import (
    Billing,
    Dispute,
    Learn,
    Lookup,
    LookupFailed,
    Missing,
    Reason,
    Unavailable,
)
from adapters.ports import Ports
from adapters.tmf.concurrency import one_by_one, side_by_side
from adapters.tmf.disputes import disputes
from adapters.tmf.fees import Further, billing, product_filter
from adapters.tmf.inquiry import Inquiry
from adapters.tmf.ownership import Subject
from adapters.tmf.profile import Profile
from adapters.tmf.resources import PRODUCT

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Report(Generic[T]):
    """Says what was found out about one id of the vendor's, for every customer who has that id."""

    learn: Learn[T]
    customers: Mapping[str, Sequence[UUID]] = field(repr=False)

    def __call__(self, subject: Subject, lookup: Lookup[T]) -> None:
        for customer_id in self.customers[subject.vendor_id]:
            self.learn(customer_id, lookup)


Answer: TypeAlias = Callable[[Inquiry, Sequence[Subject], Report[T]], Coroutine[Any, Any, None]]
"""Asks about subjects that are asked about together, and reports each."""


class TmfAdapter(LookupAdapter):
    """Answers lookups from TMF637, 666, 629, 678 and 621, v4 or v5.

    A subclass gives `source` and its vendor's profile. Nothing is retried here: the exchange
    below does that, within its budget.
    """

    def __init__(self, ports: Ports, profile: Profile) -> None:
        if ports.exchange is None:
            raise ValueError("a vendor reached over HTTP needs an exchange")
        self.profile = profile.with_settings(ports.tmf)
        self.reporting_currency = ports.reporting_currency
        self._exchange = ports.exchange
        self._identity = ports.identity
        self._connection = ports.connection
        self._concurrency = ports.concurrency

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        await self._look_up(customer_ids, call, learn, self._bill)

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        await self._look_up(customer_ids, call, learn, self._find_disputes)

    async def _look_up(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[T], answer: Answer[T]
    ) -> None:
        customers = await self._mapped(customer_ids, call, learn)
        inquiry = Inquiry(self._exchange, self.profile, call)
        report = Report(learn, customers)
        subjects = [Subject.of(vendor_id, self.profile) for vendor_id in customers]
        await side_by_side(
            (partial(answer, inquiry, chunk, report) for chunk in inquiry.chunks(subjects)),
            at_once=2 * self._concurrency,  # so that no slot is ever idle
        )

    async def _mapped(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[T]
    ) -> Mapping[str, Sequence[UUID]]:
        """The customers of each of the vendor's ids. Who has none is reported right away."""
        ids = await self._identity.vendor_ids(customer_ids, call)
        customers: defaultdict[str, list[UUID]] = defaultdict(list)
        for customer_id in customer_ids:
            vendor_id = ids.known.get(customer_id, "").strip()
            if vendor_id:
                customers[vendor_id].append(customer_id)
            elif customer_id in ids.unavailable:
                learn(customer_id, Unavailable(Reason.IDENTITY))
            else:
                learn(customer_id, Missing())
        return customers

    async def _bill(
        self, inquiry: Inquiry, subjects: Sequence[Subject], report: Report[Billing]
    ) -> None:
        shares = await inquiry.owned(PRODUCT, subjects, product_filter(self.profile))
        open_still: list[Callable[[], Coroutine[Any, Any, None]]] = []

        def bill(subject: Subject) -> None:
            said = billing(inquiry, shares[subject.vendor_id], connection=self._connection)
            if isinstance(said, Further):
                open_still.append(partial(self._bill_later, subject, said, report))
            else:
                report(subject, said)

        try:
            one_by_one(partial(bill, one) for one in subjects)
        finally:
            await side_by_side(open_still)

    async def _bill_later(
        self, subject: Subject, further: Further, report: Report[Billing]
    ) -> None:
        lookup: Lookup[Billing]
        try:
            lookup = await further.ask()
        except LookupFailed as failure:
            lookup = failure.as_lookup()
        report(subject, lookup)

    async def _find_disputes(
        self, inquiry: Inquiry, subjects: Sequence[Subject], report: Report[Dispute]
    ) -> None:
        found = await disputes(inquiry, subjects)
        for subject in subjects:
            report(subject, found[subject.vendor_id])
