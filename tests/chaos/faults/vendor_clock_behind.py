"""The vendor's clock is ten minutes behind ours, and it says by a date until when it wants to be
left alone: 429. The pretend vendor answers so, with two seconds between its `Date` and its
`Retry-After`, which by our clock is long over. It is left alone for two seconds all the same: the
pod is told `rate_limited`, and the breaker opens once in that time.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import RestUntil
from tests.chaos.world import Lane

_REST_S = 2.0


class VendorClockBehind(Fault):
    expects = frozenset({Reason.RATE_LIMITED})
    vendor_faults = (RestUntil(clock_ahead_s=-600, rest_s=_REST_S),)
    _began = 0.0
    _opened_before = 0

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        self._opened_before = await _opened_times(lane)
        self._began = asyncio.get_running_loop().time()
        async with super().around(lane):
            yield

    async def check(self, lane: Lane) -> None:
        opened = await _opened_times(lane) - self._opened_before
        assert opened <= 1 + (asyncio.get_running_loop().time() - self._began) / _REST_S


async def _opened_times(lane: Lane) -> int:
    breakers = (await lane.world.status())["connections"][lane.name]["breakers"]
    opened: int = breakers["vendor"]["opened_times"]
    return opened
