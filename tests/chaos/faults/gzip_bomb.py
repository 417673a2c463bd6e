"""A few kilobytes that become many megabytes, by mistake or by malice. The pretend vendor answers
so to every question for data. Decompression ends at the cap, and the connection with it: the pod is
told `bad_response`, and soon `breaker_open`; memory stays as it was.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from adapters.simulator import bodies
from adapters.simulator.faults import GzipBomb as Bomb
from tests.chaos.fault import Fault
from tests.chaos.world import Lane

_SIZE_BYTES = 24 * 1024 * 1024


class GzipBomb(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Bomb(size_bytes=_SIZE_BYTES),)

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        await asyncio.to_thread(bodies.bomb, _SIZE_BYTES)  # it is made once, and takes a while
        async with super().around(lane):
            yield
