"""The vendor moves to another site: its name has another address from now on, and at the old one
nobody listens any more. Here the relays of the vendor and of its token endpoint move to another
address of the loopback, and nothing is mended at the end. A name is looked up anew after a second,
and by each probe: until then the pod is told `unreachable` or `breaker_open`, if anything at all.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.world import Lane

SITES = ("127.0.0.1", "127.0.0.2")


class DnsChange(Fault):
    expects = frozenset({Reason.UNREACHABLE})
    shows = False

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        async with super().around(lane):
            await lane.move(SITES[1 - SITES.index(lane.address)])
            yield
