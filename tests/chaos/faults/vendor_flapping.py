"""A vendor's process is restarted over and over: it is there for a few seconds, and gone for a few.
Here the relay serves and refuses in turn, at first for 400 ms each, then for longer and longer
until it is 3 s. The pod is answered in full while the vendor is there, once a probe has found that
out, and is told `unreachable` or `breaker_open` while it is not.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.fault import AFTER_FAILURES, Fault, Seen
from tests.chaos.relay import Relay
from tests.chaos.ways import Refuse
from tests.chaos.world import Lane

FIRST_S, LONGEST_S, GROWTH = 0.4, 3.0, 1.3


class VendorFlapping(Fault):
    expects = frozenset({Reason.UNREACHABLE}) | AFTER_FAILURES

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        assert lane.relay is not None
        async with super().around(lane), asyncio.TaskGroup() as group:
            flapping = group.create_task(_flap(lane.relay))
            yield
            flapping.cancel()

    def bites(self, seen: Seen) -> bool:
        return seen.full > 0


async def _flap(relay: Relay) -> None:
    length_s = FIRST_S
    while True:
        await asyncio.sleep(length_s)
        async with relay.behaving(Refuse()):
            await asyncio.sleep(length_s)
        length_s = min(length_s * GROWTH, LONGEST_S)
