"""Asks a sidecar at a steady pace, whatever it answers, and judges every body by the contract.

    python -m tests.bench.asking_steadily < JSON

takes one line of JSON for each `Pace`, and answers it with one (`Heard`). Questions come when they
are due, not when the last one was answered, and their time counts from when they were due: a
sidecar that stalls is not asked less.
"""

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import aiohttp
from pydantic import ValidationError

from adapters.bss_adapter import BillingAccountInfo, RevenueResult
from tests.bench.vendor_rows import customer, fee

BATCH = 200
_PROBLEM = "application/problem+json"
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What is asked, and how often."""

    url: str
    tenant: str
    per_s: float
    for_s: float
    customers: int
    """Of whom strangers are taken in turn."""
    first: int = 0
    known: int = 400
    """So many are asked about again and again; the others are strangers."""
    batch_share: float = 0.05
    strange_singles: float = 0.3
    """The share of questions about one customer that are about a stranger."""
    strangers_in_batch: int = 20


@dataclass(slots=True)
class Heard:
    """What came of it."""

    asked: int = 0
    singles_ms: list[float] = field(default_factory=list)
    batches_ms: list[float] = field(default_factory=list)
    unanswered: int = 0
    """A problem instead of an account: nobody could say in time."""
    degraded: int = 0
    """Batches in which somebody could not be asked about."""
    invalid: list[str] = field(default_factory=list)
    """Whatever does not keep to the contract, in words without anybody's data."""
    strangers: int = 0
    late_ms: float = 0.0
    """The latest that a question left after it was due: this process's own fault."""


class Asking:
    """One pace, from beginning to end."""

    def __init__(self, pace: Pace, session: aiohttp.ClientSession) -> None:
        self._pace = pace
        self._session = session
        self._luck = random.Random(pace.first)
        self._clock = asyncio.get_running_loop().time
        self.heard = Heard()

    async def run(self) -> Heard:
        pace, began = self._pace, self._clock()
        async with asyncio.TaskGroup() as group:
            for number in range(int(pace.per_s * pace.for_s)):
                due = began + number / pace.per_s
                if (wait_s := due - self._clock()) > 0:
                    await asyncio.sleep(wait_s)
                late_ms = (self._clock() - due) * 1_000
                self.heard.late_ms = max(self.heard.late_ms, late_ms)
                group.create_task(self._ask(due))
        return self.heard

    async def _ask(self, due: float) -> None:
        self.heard.asked += 1
        is_batch = self._luck.random() < self._pace.batch_share
        took = self.heard.batches_ms if is_batch else self.heard.singles_ms
        try:
            invalid = await (self._batch() if is_batch else self._single())
        except (aiohttp.ClientError, TimeoutError) as error:
            invalid = f"no answer: {type(error).__name__}"
        took.append((self._clock() - due) * 1_000)
        if invalid:
            self.heard.invalid.append(invalid)

    async def _single(self) -> str:
        pace = self._pace
        is_strange = self._luck.random() < pace.strange_singles
        n = self._stranger() if is_strange else self._luck.randrange(pace.known)
        url = f"{pace.url}/v1/customers/{customer(n)}/billing-account"
        async with self._session.get(url) as reply:
            body = await reply.read()
        if reply.status == 503 and reply.content_type == _PROBLEM:
            self.heard.unanswered += 1
            return wrong_problem(body)
        return f"status {reply.status}" if reply.status != 200 else wrong_account(n, body)

    async def _batch(self) -> str:
        pace = self._pace
        known = self._luck.sample(range(pace.known), BATCH - pace.strangers_in_batch)
        numbers = [*known, *(self._stranger() for _ in range(pace.strangers_in_batch))]
        document = {"customer_ids": [str(customer(n)) for n in numbers]}
        async with self._session.post(f"{pace.url}/v1/revenue-at-risk", json=document) as reply:
            body = await reply.read()
        self.heard.degraded += "BSS-Degraded" in reply.headers
        return f"status {reply.status}" if reply.status != 200 else wrong_result(numbers, body)

    def _stranger(self) -> int:
        pace, self.heard.strangers = self._pace, self.heard.strangers + 1
        room = pace.customers - pace.known
        return pace.known + (pace.first + self.heard.strangers) % room


def wrong_account(n: int, body: bytes) -> str:
    """What is wrong with an account; empty when nothing is."""
    try:
        account = BillingAccountInfo.model_validate_json(body)
    except ValidationError:
        return "an account that is none"
    if account.customer_id != customer(n):
        return "somebody else's account"
    return "" if account.monthly_fee == float(fee(n)) else "a wrong fee"


def wrong_result(numbers: Sequence[int], body: bytes) -> str:
    """What is wrong with a result; empty when nothing is, degraded or not."""
    try:
        result = RevenueResult.model_validate_json(body)
    except ValidationError:
        return "a result that is none"
    priced, total = result.priced_customer_count, result.total_revenue_at_risk
    if priced + result.unpriced_customer_count != len(set(numbers)):
        return "counts that do not add up"
    if result.requires_manual_valuation != (result.unpriced_customer_count > 0):
        return "requires_manual_valuation against the counts"
    if (total is None) != (priced == 0):
        return "a total against the counts"
    return "" if total is None or _is_possible(numbers, priced, total) else "a wrong total"


def _is_possible(numbers: Sequence[int], priced: int, total: float) -> bool:
    """Exact where all are priced; else between the cheapest and the dearest so many."""
    fees = sorted(map(fee, set(numbers)))
    return float(sum(fees[:priced])) <= total <= float(sum(fees[-priced:]))


def wrong_problem(body: bytes) -> str:
    """RFC 9457: an object with a type and a status."""
    try:
        problem: Any = json.loads(body)
    except ValueError:
        return "a problem that is no JSON"
    is_one = isinstance(problem, dict) and problem.get("status") == 503 and "type" in problem
    return "" if is_one else "a problem that is none"


async def main() -> None:
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=timeout
    ) as session:
        while line := await asyncio.to_thread(sys.stdin.readline):
            pace = Pace(**json.loads(line))
            session.headers["X-Tenant-ID"] = pace.tenant
            heard = await Asking(pace, session).run()
            sys.stdout.write(json.dumps(asdict(heard)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
