"""The demo's acts: ask everything, ask it again, cut a vendor, restore it, sum up."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from adapters.simulator.population import Shape, customer_id, truth
from proxy.demo.evidence import (
    ACCOUNT_HEAD,
    BATCH,
    CACHE_HEAD,
    OTHERS,
    PEOPLE,
    REVENUE_HEAD,
    DemoFailed,
    Verdicts,
    account_is_true,
    batch_of,
    decimal,
    is_degraded,
    pace,
    revenue_cells,
)
from proxy.demo.questions import Pod
from proxy.demo.screen import Cell, Screen, milliseconds, pounds
from proxy.demo.stage import TENANTS, Stage

SLA_SINGLE_S, SLA_BATCH_S = 0.5, 2.0
"""Contract, section 4."""
VICTIM: Shape = "cerillion"
RECOVERY_S = 15.0


@dataclass(slots=True)
class Story:
    """Tells the demo on `screen`, asking through `pod` what `stage` has set up."""

    screen: Screen
    stage: Stage
    pod: Pod
    now: datetime
    verdicts: Verdicts = field(default_factory=Verdicts)

    async def tell(self) -> None:
        await self._revenue_of_everybody()
        await self._singlebatch_of()
        await self._disputes_of_everybody()
        await self._ask_again()
        await self._cut_one()
        await self._restore_it()

    async def _revenue_of_everybody(self) -> None:
        self.screen.title(f"1  Revenue at risk: one batch of {BATCH} customers for each tenant")
        self.screen.note("POST /v1/revenue-at-risk   X-Tenant-ID: <tenant>")
        rows = [await self._revenue_row(tenant) for tenant in TENANTS]
        self.screen.table(REVENUE_HEAD, rows)
        self.screen.note(
            "Unpriced: the vendor does not know them, or knows no price. No ARPU, no guess."
        )
        self.screen.note("Manual: somebody is unpriced, so a person has to value the rest.")

    async def _revenue_row(self, tenant: str, first: int = 0) -> list[Cell]:
        reply = await self.pod.revenue(tenant, batch_of(tenant, first))
        expected = self._expected_total(tenant, first)
        right = reply.status == 200 and reply.degraded is None
        right = right and decimal(reply.body["total_revenue_at_risk"]) == expected
        verdict = self.verdicts.that(right, f"{tenant}: revenue at risk is {pounds(expected)}")
        return [*revenue_cells(tenant, reply), verdict]

    async def _singlebatch_of(self) -> None:
        self.screen.title("2  Billing account: one customer at a time")
        self.screen.note("GET /v1/customers/{customer_id}/billing-account")
        rows = [
            await self._account_row(tenant, number, what)
            for tenant in TENANTS
            for number, what in PEOPLE.items()
        ]
        self.screen.table(ACCOUNT_HEAD, rows)

    async def _account_row(self, tenant: str, number: int, what: str) -> list[Cell]:
        reply = await self.pod.account(tenant, customer_id(tenant, number))
        fact = truth(tenant, number, self.now)
        verdict = self.verdicts.that(
            account_is_true(reply, fact), f"{tenant}: customer {number} is {what}"
        )
        known = reply.status == 200
        return [
            Cell(tenant, "cyan"),
            Cell(what),
            Cell(str(reply.status)),
            Cell(str(reply.body["plan_name"] or "") if known else reply.body.get("title", "")),
            Cell(pounds(reply.body["monthly_fee"]) if known else "", right=True),
            Cell(milliseconds(reply.took_s), right=True),
            verdict,
        ]

    async def _disputes_of_everybody(self) -> None:
        self.screen.title(f"3  Disputes: the same {BATCH} customers of each tenant")
        self.screen.note("POST /v1/disputes")
        rows = [await self._disputes_row(tenant) for tenant in TENANTS]
        self.screen.table(["tenant", "in dispute", "could not be asked", "time", ""], rows)

    async def _disputes_row(self, tenant: str) -> list[Cell]:
        reply = await self.pod.disputes(tenant, batch_of(tenant))
        expected = [
            str(customer_id(tenant, n)) for n in range(BATCH) if truth(tenant, n, self.now).disputed
        ]
        verdict = self.verdicts.that(
            reply.status == 200 and reply.body["customer_ids"] == expected,
            f"{tenant}: {len(expected)} customers are in dispute",
        )
        return [
            Cell(tenant, "cyan"),
            Cell(str(len(reply.body["customer_ids"])), right=True),
            Cell(str(len(reply.body["unavailable_customer_ids"])), right=True),
            Cell(milliseconds(reply.took_s), right=True),
            verdict,
        ]

    async def _ask_again(self) -> None:
        self.screen.title("4  The same customers again: what was learned is kept for 30 s, sealed")
        rows = [await self._cached_row(tenant) for tenant in TENANTS]
        self.screen.table(CACHE_HEAD, rows)
        tenant = f"{VICTIM}_demo"
        one = customer_id(tenant, 0)
        self.screen.note(f"DELETE /v1/customers/{one}/cache")
        forgotten = await self.pod.forget(tenant, one)
        after = await self.pod.account(tenant, one)
        self.verdicts.that(
            forgotten.status == 204 and after.status == 200 and "hit" not in after.cached,
            f"{tenant}: who is forgotten is asked of the vendor again",
        )
        self.screen.note(
            f"Forgotten: {forgotten.status}. Asked again, Cache-Status: {after.cached}"
        )

    async def _cached_row(self, tenant: str) -> list[Cell]:
        for _ in range(3):  # an entry of before may have ended just then
            reply = await self.pod.revenue(tenant, batch_of(tenant))
            is_hit = reply.cached.startswith("bss-sidecar; hit")
            if is_hit:
                break
        right = decimal(reply.body["total_revenue_at_risk"]) == self._expected_total(tenant)
        verdict = self.verdicts.that(
            right and is_hit, f"{tenant}: the same figure comes from the cache"
        )
        return [
            Cell(tenant, "cyan"),
            Cell(pounds(reply.body["total_revenue_at_risk"]), "bold", right=True),
            Cell(reply.cached.removeprefix("bss-sidecar; ")),
            Cell(milliseconds(reply.took_s), right=True),
            verdict,
        ]

    async def _cut_one(self) -> None:
        self.screen.title(f"5  {VICTIM} hangs: it takes connections, and never answers")
        self.screen.note("Other customers, of whom nothing is known yet:")
        await self.stage.fault(VICTIM, "hang")
        rows = []
        for tenant in TENANTS:
            if tenant == f"{VICTIM}_demo":
                reply = await self.pod.revenue(tenant, batch_of(tenant, OTHERS))
                verdict = self.verdicts.that(
                    is_degraded(reply), f"{tenant}: without its vendor the answer is degraded"
                )
                rows.append([*revenue_cells(tenant, reply), verdict])
                degraded = reply.degraded
            else:
                rows.append(await self._revenue_row(tenant, OTHERS))
        self.screen.table(REVENUE_HEAD, rows)
        self.screen.note(f"BSS-Degraded: {degraded}")
        single = await self.pod.account(f"{VICTIM}_demo", customer_id(f"{VICTIM}_demo", OTHERS))
        self.verdicts.that(single.status == 503, f"{VICTIM}: a single customer is answered 503")
        self.screen.note(
            f"One customer of {VICTIM}_demo: {single.status} {single.body.get('title', '')}, "
            f"Retry-After: {single.headers.get('retry-after')} s, "
            f"after {milliseconds(single.took_s)}"
        )

    async def _restore_it(self) -> None:
        self.screen.title(f"6  {VICTIM} is back")
        await self.stage.fault(VICTIM, None)
        clock = asyncio.get_running_loop().time
        began = clock()
        tenant, tries = f"{VICTIM}_demo", 0
        while True:
            reply = await self.pod.revenue(tenant, batch_of(tenant, OTHERS))
            tries += 1
            if reply.degraded is None or clock() - began > RECOVERY_S:
                break
            await asyncio.sleep(0.25)
        verdict = self.verdicts.that(
            decimal(reply.body["total_revenue_at_risk"]) == self._expected_total(tenant, OTHERS),
            f"{tenant}: the figure is right again",
        )
        self.screen.table(REVENUE_HEAD, [[*revenue_cells(tenant, reply), verdict]])
        self.screen.note(
            f"Right again after {milliseconds(clock() - began)} and {tries} question"
            f"{'s' if tries > 1 else ''}; nobody restarted anything."
        )

    def _expected_total(self, tenant: str, first: int = 0) -> Decimal:
        numbers = range(first, first + BATCH)
        facts = (truth(tenant, number, self.now) for number in numbers)
        return sum((fact.monthly_fee for fact in facts if fact.monthly_fee is not None), Decimal(0))

    def summary(self, took_s: float) -> None:
        """The last lines; raises `DemoFailed` if anything was not as it should be.

        A late answer is shown and fails nothing: it may be the machine that is busy.
        """
        self.screen.title("Summary")
        self.screen.table(
            ["", "asked", "slowest", "SLA (p95)", ""],
            [
                pace("one customer", self.pod.singles, SLA_SINGLE_S),
                pace(f"{BATCH} customers", self.pod.batches, SLA_BATCH_S),
            ],
        )
        self.screen.line()
        if self.verdicts.wrong:
            raise DemoFailed("Not as it should be:\n  " + "\n  ".join(self.verdicts.wrong))
        questions = len(self.pod.singles) + len(self.pod.batches)
        self.screen.line(
            f"  {questions} questions, {self.verdicts.checked} checks against the vendors' own "
            f"data, all right, in {took_s:.1f} s.",
            "green",
        )
