"""The vendor's name no longer resolves: a zone has expired, or the cluster's resolver is down. Here
the lookup of that name fails in the sidecar's own event loop, as the system's fails, and a rotation
has just made all connections anew; those that are open would go on for as long as they live. The
pod is told `unreachable`, and soon `breaker_open`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.world import Lane


class DnsFailure(Fault):
    expects = frozenset({Reason.UNREACHABLE})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        async with super().around(lane):
            with lane.resolving(None):
                await lane.trust(lane.world.folder / "ca.pem")
                yield
