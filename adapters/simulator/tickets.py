"""TMF621 rows: disputes, and complaints that are none."""

from collections.abc import Iterator
from datetime import datetime

from adapters.simulator import spelling
from adapters.simulator.population import TicketPlan, is_known, ticket_plan
from adapters.simulator.references import Row, entity, party
from adapters.simulator.shapes import Holder, Version


def tickets(holder: Holder, version: Version, now: datetime) -> Iterator[Row]:
    plan = ticket_plan(holder.n)
    if plan is None or not is_known(holder.n):
        return
    n = holder.n
    dispute = plan.kind == "dispute"
    row: Row = {
        "id": f"TT-{n:06d}",
        "ticketType": spelling.dispute_type(n) if dispute else "Network Fault",
        "name": "Charged twice" if dispute else "No signal",
        "status": spelling.ticket_state(plan.state, n),
        "severity": "minor",
        "creationDate": _text(plan.opened_at(now), n),
        "statusChangeDate": _text(plan.changed_at(now), n),
        "lastUpdate": _text(plan.changed_at(now), n),
        "relatedParty": _parties(holder, version),
        "relatedEntity": [
            entity(version, f"BILL-{n:06d}-1", "disputedBill", "CustomerBill"),
            entity(version, holder.accounts[0], "account", "BillingAccount"),
        ],
        **_history(plan, version, now),
    }
    if plan.state in ("closed", "resolved"):
        row["resolutionDate"] = _text(plan.changed_at(now), n)
    if version == "v5":
        row["@type"] = "TroubleTicket"
    yield row


def _parties(holder: Holder, version: Version) -> list[Row]:
    return [
        party(version, "AGENT-7", "member", "Individual"),
        party(version, holder.owner, holder.owner_role, holder.owner_type),
    ]


def _history(plan: TicketPlan, version: Version, now: datetime) -> Row:
    opened, changed = _text(plan.opened_at(now), 0), _text(plan.changed_at(now), 0)
    if version == "v4":
        return {
            "statusChange": [
                {"status": "acknowledged", "changeDate": opened},
                {"status": plan.state, "changeDate": changed},
            ]
        }
    return {
        "statusChangeHistory": [
            {"@type": "StatusChange", "status": "acknowledged", "statusChangeDate": opened},
            {"@type": "StatusChange", "status": plan.state, "statusChangeDate": changed},
        ]
    }


def _text(moment: datetime, n: int) -> str:
    """ISO 8601, with milliseconds and Z or with an offset."""
    if n % 100 < 50:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")
