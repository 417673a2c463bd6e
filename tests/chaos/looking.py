"""What a fault looks at by itself, beside the load: single questions, one after the other."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.chaos.judge import STRAIN, Leeway, Question
from tests.chaos.world import Lane
from tests.servers.patience import TooLate

PRICED, OF_TWO_PRODUCTS, UNKNOWN = 0, 6, 9
"""Numbers of customers."""
_TRIES = 5


async def told(lane: Lane, question: Question, leeway: Leeway) -> tuple[int, Any]:
    """Status and JSON of an answer, which the judge found right.

    On a machine that is busy elsewhere a single question may run out of time; then it is asked
    once more. Raises `TooLate` when it does so each time.
    """
    for _ in range(_TRIES):
        said = await lane.world.ask(question)
        verdict = lane.world.judge.verdict(question, said, leeway)
        assert said is not None
        assert verdict.wrong == ()
        status, body = said.status, json.loads(said.body)
        if verdict.degraded is None or verdict.degraded.reason not in STRAIN:
            return status, body
    raise TooLate(f"{question.name}: {verdict.degraded}")


async def fee(lane: Lane, number: int, leeway: Leeway) -> float | None:
    """What a customer pays by the sidecar's word."""
    status, account = await told(lane, lane.question("account", number), leeway)
    assert status == 200
    monthly_fee: float | None = account["monthly_fee"]
    return monthly_fee


@asynccontextmanager
async def never_reached(lane: Lane) -> AsyncIterator[str]:
    """Somebody who listens beside the vendor, by name and port; red if anybody connects."""
    name = f"elsewhere.{lane.host}"
    reached: list[object] = []
    server = await asyncio.start_server(lambda _, writer: reached.append(writer), "127.0.0.1", 0)
    lane.world.resolve(name, "127.0.0.1")
    try:
        yield f"https://{name}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        lane.world.resolve(name, None)
    assert reached == []
