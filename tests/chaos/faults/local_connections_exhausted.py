"""Others have taken every connection that Pedkai's database gives, where it is the billing system:
"sorry, too many clients already". Here the suite takes them all from a real PostgreSQL, and what
the sidecar had is reset. The pod is told `overload` without delay, and soon `breaker_open`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.database_trouble import no_connection_left
from tests.chaos.fault import Fault
from tests.chaos.world import Lane


class LocalConnectionsExhausted(Fault):
    where = "local"
    needs_postgres = True
    alone = True
    expects = frozenset({Reason.OVERLOAD})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        assert lane.relay is not None
        async with no_connection_left(lane.relay):
            yield
