"""Others have taken every connection that Pedkai's database gives, as when some service leaks them:
"sorry, too many clients already". Here the suite takes them all from a real PostgreSQL, and what
the sidecar had is reset. Customers whose mapping is remembered go on; of the others the pod is told
`identity`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.database_trouble import no_connection_left
from tests.chaos.fault import Fault
from tests.chaos.world import Lane


class IdentityConnectionsExhausted(Fault):
    needs_postgres = True
    alone = True
    expects = frozenset({Reason.IDENTITY})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        assert lane.identity_relay is not None
        async with no_connection_left(lane.identity_relay):
            yield
