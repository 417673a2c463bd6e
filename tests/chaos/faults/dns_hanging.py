"""The resolver takes questions and never answers, as when packets to it are dropped: a lookup hangs
for many seconds. Here the lookup of the vendor's name hangs in the sidecar's own event loop, and a
rotation has just made all connections anew. The pod is told `unreachable` or `deadline` in time,
for a lookup counts as part of its exchange, and soon `breaker_open`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.launch import HANGS
from tests.chaos.world import Lane


class DnsHanging(Fault):
    expects = frozenset({Reason.UNREACHABLE, Reason.DEADLINE})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        async with super().around(lane):
            with lane.resolving(HANGS):
                await lane.trust(lane.world.folder / "ca.pem")
                yield
