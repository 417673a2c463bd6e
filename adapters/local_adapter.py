"""Pedkai's own database as a billing system: its customers, billing accounts and service plans.

It reads the real schema (`customers`, `bss_billing_accounts`, `bss_service_plans`), one SELECT for
a question whatever the number of customers, and each table by its tenant. No column says which
currency a fee is in, so that is a setting. `avg_monthly_revenue` is an average, and never read.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select

from adapters.call import Call
from adapters.identity import as_uuid
from adapters.lookup import LookupAdapter
from adapters.outcome import Billing, Dispute, Found, Learn, Lookup, Missing, Reason, Unavailable
from adapters.pedkai_schema import accounts, asked, customers, is_asked, plans, tenant
from adapters.ports import Ports
from adapters.reader import Row, Selection
from adapters.revenue import Money, customer_fee

DISPUTE_WINDOW = timedelta(days=30)
"""Contract 2.3."""
CLOCK_TOLERANCE = timedelta(days=1)
"""A dispute that seems to be of tomorrow is of today: `last_billing_dispute` has no zone, and
clocks differ. One that is later still can't be a date of a dispute, and decides nothing."""
HIGHEST_FEE = Decimal(10) ** 12
"""A fee above it is a broken row."""
LAST_WORDS_S = 0.02
"""Kept of the budget, to say that the database was too slow before the caller gives up on us."""


class AccountRow(NamedTuple):
    """A customer, one of its billing accounts if it has any, and that account's plan if any."""

    customer_id: object
    account_id: object = None
    plan_reference: object = None
    """The account's `plan_id`; the plan itself may be absent, or another tenant's."""
    plan_name: object = None
    monthly_fee: object = None


_OF_TENANT = customers.outerjoin(
    accounts, (accounts.c.customer_id == customers.c.id) & (accounts.c.tenant_id == tenant)
)
_WITH_PLANS = _OF_TENANT.outerjoin(
    plans, (plans.c.id == accounts.c.plan_id) & (plans.c.tenant_id == tenant)
)
_BILLING = (
    customers.c.id,
    accounts.c.id,
    accounts.c.plan_id,
    plans.c.name,
    plans.c.monthly_fee,
)
_DISPUTES = (customers.c.id, accounts.c.last_billing_dispute)


class LocalBSSAdapter(LookupAdapter):
    """Answers from the database of the ports, for their tenant."""

    source = "bss_local"
    is_estimate = False

    def __init__(self, ports: Ports) -> None:
        if ports.database is None:
            raise ValueError("the local adapter needs a database")
        self._reader = ports.database
        self._tenant = ports.tenant
        self._currency = ports.database_currency
        self.reporting_currency = ports.reporting_currency
        dialect = ports.database.dialect
        self._billing = select(*_BILLING).select_from(_WITH_PLANS).where(is_asked(dialect))
        self._disputes = select(*_DISPUTES).select_from(_OF_TENANT).where(is_asked(dialect))

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        rows = await self._rows_by_customer(self._billing, customer_ids, call)
        for customer_id in customer_ids:
            own = [AccountRow(*row) for row in rows.get(customer_id, ())]
            learn(customer_id, Found(billing(own, self._currency)) if own else Missing())

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        rows = await self._rows_by_customer(self._disputes, customer_ids, call)
        for customer_id in customer_ids:
            own = rows.get(customer_id)
            stamps = [stamp for _, stamp in own or ()]
            learn(customer_id, dispute(stamps, call.asked_at) if own else Missing())

    async def _rows_by_customer(
        self, statement: Select[Any], customer_ids: Sequence[UUID], call: Call
    ) -> dict[UUID | None, list[Row]]:
        parameters = asked(customer_ids, self._tenant, self._reader.dialect)
        in_time = call.until(call.budget.part(lambda end: end - LAST_WORDS_S))
        rows = await self._reader.read(Selection(statement, parameters), in_time)
        by_customer = defaultdict(list)
        for row in rows:
            by_customer[as_uuid(row[0])].append(row)
        return by_customer


def billing(rows: Sequence[AccountRow], currency: str) -> Billing:
    """What all the rows of one customer say, in whatever order they come.

    The fee is the sum over the accounts that have a plan. It is undecidable as soon as one plan
    has an undecidable fee, or can't be read: a sum without it would be a guess.
    """
    fees = [decidable_fee(row.monthly_fee) for row in rows if row.plan_reference is not None]
    charges = [Money(fee, currency) for fee in fees if fee is not None]
    fee = customer_fee(charges) if len(charges) == len(fees) else None
    leading = min(rows, key=_by_weight)
    return Billing(
        account_id=as_uuid(leading.account_id),
        plan_name=leading.plan_name if isinstance(leading.plan_name, str) else None,
        monthly_fee=None if fee is None else fee.amount,
        currency=currency,
    )


def _by_weight(row: AccountRow) -> tuple[bool, Decimal, str]:
    """The largest fee first, an undecidable one last; among equals by account, to be stable."""
    fee = decidable_fee(row.monthly_fee)
    return fee is None, -(fee or Decimal(0)), str(row.account_id)


def decidable_fee(value: object) -> Decimal | None:
    """The number as it was written (29.99, and not its nearest binary fraction), if it is a fee."""
    if isinstance(value, bool) or not isinstance(value, float | int | Decimal):
        return None
    fee = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return fee if fee.is_finite() and 0 <= fee <= HIGHEST_FEE else None


def dispute(stamps: Iterable[object], asked_at: datetime) -> Lookup[Dispute]:
    """Whether one of a customer's `last_billing_dispute` is within the window, its ends included.

    Where none is, but one can't be a date of a dispute, nobody can say.
    """
    now = asked_at.astimezone(UTC).replace(tzinfo=None)
    dates = [naive_utc(stamp) for stamp in stamps if stamp is not None]
    latest = now + CLOCK_TOLERANCE
    if any(date is not None and now - DISPUTE_WINDOW <= date <= latest for date in dates):
        return Found(Dispute(active=True))
    if any(date is None or date > latest for date in dates):
        return Unavailable(Reason.BAD_RESPONSE)
    return Found(Dispute(active=False))


def naive_utc(stamp: object) -> datetime | None:
    """A timestamp as a driver gives it: naive UTC, with a zone, or ISO 8601 text; else `None`."""
    try:
        date = datetime.fromisoformat(stamp) if isinstance(stamp, str) else stamp
        if not isinstance(date, datetime):
            return None
        return date if date.tzinfo is None else date.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):  # no date, or a zone that leads out of the calendar
        return None
