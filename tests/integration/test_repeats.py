"""How often a vendor that hangs up is asked, by aiohttp's own repeats and by ours together."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from adapters.outcome import LookupFailed
from adapters.simulator.faults import Answer, Fault, NeverAnswered, Status, Visit
from adapters.simulator.reply import Reply
from adapters.simulator.vendor import SimulatedVendor
from proxy.connection import VendorConnection
from tests.integration.connecting import (
    Bench,
    ask,
    authority,
    bench,
    data,
    folder,
    vendor,
)

__all__ = ["authority", "bench", "data", "folder", "vendor"]  # fixtures

ONLY_THE_BUDGET: Mapping[str, object] = {
    "breaker": {"minimum_calls": 10_000},
    "retry": {"first_backoff": "1ms", "longest_backoff": "2ms"},
}
"""Nothing else keeps exchanges back."""
FLOOR_PER_S = 1.0
KIND = "product"


async def outcomes(connection: VendorConnection, questions: int) -> Counter[str]:
    """What became of so many questions, one after the other."""
    told: Counter[str] = Counter()
    for _ in range(questions):
        try:
            told[str((await ask(connection)).status)] += 1
        except LookupFailed as failure:
            told[failure.reason] += 1
    return told


async def test_connections_that_were_just_closed_cost_no_question_its_answer(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    """The reuse race: the reset is on its way, and the sidecar has not heard of it yet."""
    connection = bench.to(vendor, guard={"retry": {"attempts": 1}})
    await asyncio.gather(*(ask(connection) for _ in range(8)))
    vendor.traffic.forget()
    vendor.drop_connections()  # nothing is awaited until the questions are on these connections
    replies = await asyncio.gather(*(ask(connection) for _ in range(2)))
    assert {reply.status for reply in replies} == {200}
    assert vendor.traffic.counts[KIND] == 2
    assert connection.status().last_outcome == "ok"


class HangsUpEverySecondTime(Fault):
    """Which is on a used connection each time, where one question follows another."""

    name = "hangs_up_every_second_time"

    async def around(self, visit: Visit, answer: Answer) -> Reply:
        _SEEN[self.name] += 1
        if _SEEN[self.name] % 2:
            raise NeverAnswered
        return await answer(visit.question)


_SEEN: Counter[str] = Counter()


async def test_repeats_on_used_connections_stay_within_the_budget(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor, guard=ONLY_THE_BUDGET)
    await outcomes(connection, 1)
    vendor.traffic.forget()
    await vendor.faults.set(HangsUpEverySecondTime())
    _SEEN.clear()
    told, asked_in_s = await timed(connection, 200)
    attempts = vendor.traffic.counts[KIND]
    assert attempts <= 1.2 * 201 + FLOOR_PER_S * (1 + asked_in_s)
    assert attempts > 200
    assert told["200"] + told["unreachable"] == 200


async def test_retries_of_a_vendor_that_always_fails_stay_within_the_budget(
    bench: Bench, vendor: SimulatedVendor
) -> None:
    connection = bench.to(vendor, guard=ONLY_THE_BUDGET)
    await vendor.faults.set(Status(status=500))
    told, asked_in_s = await timed(connection, 200)
    attempts = vendor.traffic.counts[KIND]
    assert 1.15 * 200 < attempts <= 1.2 * 200 + FLOOR_PER_S * (1 + asked_in_s)
    assert told == {"vendor_error": 200}


async def timed(connection: VendorConnection, questions: int) -> tuple[Counter[str], float]:
    clock = asyncio.get_running_loop().time
    began = clock()
    return await outcomes(connection, questions), clock() - began
