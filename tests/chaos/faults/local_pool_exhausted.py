"""A migration locks the table of customers, and every query waits for its end: soon each connection
of the sidecar's pool is held by one that waits. Here the suite takes that lock in a real
PostgreSQL. The pod hears of it by its deadline, and at once when the breaker has opened; whoever
has been told takes back the query.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.database_trouble import customers_locked, nobody_waits_for_a_lock
from tests.chaos.fault import Fault
from tests.chaos.world import Lane

_TAKEN_BACK_S = 2.0


class LocalPoolExhausted(Fault):
    where = "local"
    needs_postgres = True
    alone = True
    expects = frozenset({Reason.DEADLINE, Reason.UNREACHABLE})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        assert lane.relay is not None
        async with customers_locked(lane.relay):
            yield

    async def check(self, lane: Lane) -> None:
        assert lane.relay is not None
        async with asyncio.timeout(_TAKEN_BACK_S):
            await nobody_waits_for_a_lock(lane.relay)
