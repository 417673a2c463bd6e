"""TMF666 and TMF629 rows: the accounts of a customer, and the customer."""

from collections.abc import Iterator
from decimal import Decimal

from adapters.simulator import spelling
from adapters.simulator.population import is_known, ticket_plan
from adapters.simulator.references import Row, owners
from adapters.simulator.shapes import Holder, Version

_STATES = ("Active", "active", "ACTIVE", "Defined")


def accounts(holder: Holder, version: Version) -> Iterator[Row]:
    if not is_known(holder.n):
        return
    for account_id in holder.accounts:
        row: Row = {
            "id": account_id,
            "name": f"Account of subscriber {holder.n:06d}",
            "accountType": "residential" if holder.n % 4 else "business",
            "state": _STATES[holder.n % len(_STATES)],
            "relatedParty": owners(version, holder),
            "accountBalance": _balances(holder),
        }
        if version == "v5":
            row["@type"] = "BillingAccount"
        yield row


def customers(holder: Holder, version: Version) -> Iterator[Row]:
    if not is_known(holder.n):
        return
    row: Row = {
        "id": holder.customer,
        "name": f"Subscriber {holder.n:06d}",
        "status": "Approved",
        "engagedParty": {
            "id": holder.individual,
            "name": f"Subscriber {holder.n:06d}",
            "@referredType": "Individual",
        },
        "account": [
            {"id": account_id, "@referredType": "BillingAccount"} for account_id in holder.accounts
        ],
    }
    if version == "v5":
        row["@type"] = "Customer"
    yield row


def _balances(holder: Holder) -> list[Row]:
    """Cerillion says `type` where TM Forum says `balanceType`."""
    kind = "type" if holder.shape == "cerillion" else "balanceType"
    balances = [{kind: "receivable", "amount": spelling.money(Decimal("12.50"), holder.n)}]
    plan = ticket_plan(holder.n)
    if plan is not None and plan.kind == "dispute" and plan.state not in ("closed", "resolved"):
        disputed = {kind: "disputed balance", "amount": spelling.money(Decimal("7.25"), holder.n)}
        balances.append(disputed)
    return balances
