"""The clock of our own machine is wrong, and set right, and wrong again: it leaps by an hour, ahead
and back, under the sidecar's feet. Here its process reads the time plus what a file says.
Deadlines, breakers and the lives of tokens go by a clock that does not leap, so the pod is answered
in full.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import cycle

from adapters.lookup import wall_clock
from tests.chaos.fault import Fault
from tests.chaos.world import Lane

_LEAP_S = 3600
_EVERY_S = 0.2


class OwnClockLeaps(Fault):
    alone = True

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            leaping = group.create_task(_leaping(lane))
            try:
                yield
            finally:
                leaping.cancel()
                lane.world.set_clock(0)

    async def check(self, lane: Lane) -> None:
        async with asyncio.timeout(5):
            half_way = timedelta(seconds=_LEAP_S / 2)
            while await _ends(lane) < wall_clock() + half_way:  # noqa: ASYNC110  (a status tells)
                await asyncio.sleep(_EVERY_S / 4)


async def _leaping(lane: Lane) -> None:
    for ahead_s in cycle((_LEAP_S, 0, -_LEAP_S, 0)):
        lane.world.set_clock(ahead_s)
        await asyncio.sleep(_EVERY_S)


async def _ends(lane: Lane) -> datetime:
    """When the token ends, as the sidecar reckons."""
    told = (await lane.world.status())["connections"][lane.name]
    return datetime.fromisoformat(told["token_ends_at"])
