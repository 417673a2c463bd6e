"""TMF678 rows: what was billed for the last two whole periods, and the bills themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from adapters.simulator import spelling
from adapters.simulator.population import Charge, charges, is_known, ticket_plan
from adapters.simulator.products import TAX_PERCENT
from adapters.simulator.references import Row, account, owners
from adapters.simulator.shapes import Holder, Version

_PERIODS = 2
_RECURRING = ("recurring", "recurringCharge", "Recurring")


def months_before(now: datetime, months: int) -> datetime:
    """The first moment of the month that many months before that of `now`."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)


def applied_rates(tenant: str, holder: Holder, version: Version, now: datetime) -> Iterator[Row]:
    """A recurring row for each charge that is counted in months and each period, and usage."""
    if not is_known(holder.n):
        return
    for k, charge in enumerate(charges(tenant, holder.n)):
        if charge.days:
            continue
        for back in range(1, _PERIODS + 1):
            yield _rate(holder, version, now, _Billed(k, charge, back))
    if holder.n % 2 == 0:
        yield _rate(holder, version, now, _Billed(0, Charge(Decimal("3.70")), 1, usage=True))


@dataclass(frozen=True, slots=True)
class _Billed:
    """One charge, billed `back` periods ago."""

    k: int
    charge: Charge
    back: int
    usage: bool = False

    def name(self) -> str:
        return f"{self.k}-{'U' if self.usage else 'R'}{self.back}"


def _rate(holder: Holder, version: Version, now: datetime, billed: _Billed) -> Row:
    n, length = holder.n, billed.charge.months
    kind = "usage" if billed.usage else _RECURRING[n % len(_RECURRING)]
    ends = months_before(now, (billed.back - 1) * length)
    starts = months_before(now, billed.back * length)
    amount = billed.charge.amount
    row: Row = {
        "id": f"RATE-{n:06d}-{billed.name()}",
        "name": "Data beyond the allowance" if billed.usage else "Line rental",
        "date": _text(ends),
        "isBilled": True,
        "type" if version == "v4" else "appliedBillingRateType": kind,
        "bill": {"id": f"BILL-{n:06d}-{billed.back}"},
        "billingAccount": account(holder.accounts[billed.k % len(holder.accounts)]),
        "product": {"id": f"PRD-{n:06d}-{billed.k}"},
        "periodCoverage": {"startDateTime": _text(starts), "endDateTime": _text(ends)},
        "taxExcludedAmount": spelling.money(amount, n),
        "taxIncludedAmount": spelling.money(
            (amount * (100 + TAX_PERCENT) / 100).quantize(Decimal("0.01")), n
        ),
        "appliedTax": [{"taxCategory": "VAT", "taxRate": TAX_PERCENT}],
    }
    if version == "v5":
        row["@type"] = "AppliedCustomerBillingRate"
    return row


def bills(tenant: str, holder: Holder, version: Version, now: datetime) -> Iterator[Row]:
    if not is_known(holder.n):
        return
    total = sum((charge.monthly() for charge in charges(tenant, holder.n)), Decimal(0))
    for back in range(1, _PERIODS + 1):
        row: Row = {
            "id": f"BILL-{holder.n:06d}-{back}",
            "billNo": f"{holder.n:06d}{back}",
            "billDate": _text(months_before(now, back - 1)),
            "state": _bill_state(holder.n, back),
            "amountDue": spelling.money(total.quantize(Decimal("0.01")), holder.n),
            "billingAccount": account(holder.accounts[0]),
            "relatedParty": owners(version, holder),
        }
        if version == "v5":
            row["@type"] = "CustomerBill"
        yield row


def _bill_state(n: int, back: int) -> str:
    plan = ticket_plan(n)
    open_dispute = plan is not None and plan.kind == "dispute" and plan.opened_days_ago < 60
    if back == 1 and open_dispute:
        return "onHold"
    return ("settled", "Settled", "sent", "partiallyPaid")[n % 4]


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
