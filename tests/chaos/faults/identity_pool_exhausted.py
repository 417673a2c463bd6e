"""A migration locks the table of customers, and every query for the vendor's ids waits for its end:
soon each connection of the sidecar's pool is held by one that waits. Here the suite takes that lock
in a real PostgreSQL. Customers whose mapping is remembered go on; of the others the pod is told
`identity` before its deadline; whoever has been told takes back the query.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.database_trouble import customers_locked, nobody_waits_for_a_lock
from tests.chaos.fault import Fault
from tests.chaos.world import Lane

_TAKEN_BACK_S = 2.0


class IdentityPoolExhausted(Fault):
    needs_postgres = True
    alone = True
    expects = frozenset({Reason.IDENTITY})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        assert lane.identity_relay is not None
        async with customers_locked(lane.identity_relay):
            yield

    async def check(self, lane: Lane) -> None:
        assert lane.identity_relay is not None
        async with asyncio.timeout(_TAKEN_BACK_S):
            await nobody_waits_for_a_lock(lane.identity_relay)
