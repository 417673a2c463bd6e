"""What the demo checks of a reply, and how the reply looks in a table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from adapters.simulator.population import Truth, customer_id
from proxy.demo.questions import Reply
from proxy.demo.screen import Cell, milliseconds, pounds, yes_no

BATCH = 200
"""As many customers as one batch may ask for."""

REVENUE_HEAD = [
    "tenant", "revenue at risk", "priced", "unpriced", "estimate", "manual", "source", "time", "",
]  # fmt: skip
ACCOUNT_HEAD = ["tenant", "customer", "status", "plan", "monthly fee", "time", ""]
CACHE_HEAD = ["tenant", "revenue at risk", "what the cache did", "time", ""]
OTHERS = BATCH
"""The first of those about whom nobody has asked before a vendor is cut off."""
PEOPLE = {0: "one product", 6: "two products", 7: "billed yearly", 8: "no price", 9: "unknown"}
"""Customer number → what is special about it, by the demo's numbering."""


class DemoFailed(Exception):  # noqa: N818  (what the demo found out)
    """The sidecar answered something that it should not have."""


@dataclass(slots=True)
class Verdicts:
    """What was checked, and what was not as it should be."""

    checked: int = 0
    wrong: list[str] = field(default_factory=list)

    def that(self, holds: bool, claim: str) -> Cell:  # noqa: FBT001  (the claim's truth)
        self.checked += 1
        if not holds:
            self.wrong.append(claim)
        return Cell("✓" if holds else "✗ wrong", "green" if holds else "red")


def batch_of(tenant: str, first: int = 0) -> list[UUID]:
    return [customer_id(tenant, number) for number in range(first, first + BATCH)]


def decimal(figure: float | None) -> Decimal | None:
    return None if figure is None else Decimal(str(figure))


def revenue_cells(tenant: str, reply: Reply) -> list[Cell]:
    body = reply.body
    return [
        Cell(tenant, "cyan"),
        Cell(pounds(body["total_revenue_at_risk"]), "bold", right=True),
        Cell(str(body["priced_customer_count"]), right=True),
        Cell(str(body["unpriced_customer_count"]), right=True),
        Cell(yes_no(body["is_estimate"]), "yellow" if body["is_estimate"] else ""),
        Cell(yes_no(body["requires_manual_valuation"])),
        Cell(body["source"]),
        Cell(milliseconds(reply.took_s), right=True),
    ]


def account_is_true(reply: Reply, fact: Truth) -> bool:
    if not fact.known:
        return reply.status == 404
    return reply.status == 200 and decimal(reply.body["monthly_fee"]) == fact.monthly_fee


def is_degraded(reply: Reply) -> bool:
    body = reply.body
    return (
        reply.status == 200
        and reply.degraded is not None
        and body["total_revenue_at_risk"] is None
        and body["is_estimate"] is True
        and body["requires_manual_valuation"] is True
    )


def pace(what: str, times: Sequence[float], sla_s: float) -> list[Cell]:
    in_time = max(times) < sla_s
    return [
        Cell(what),
        Cell(str(len(times)), right=True),
        Cell(milliseconds(max(times)), right=True),
        Cell(f"< {milliseconds(sla_s)}", right=True),
        Cell("✓", "green") if in_time else Cell("late; is this machine busy?", "yellow"),
    ]
