"""The pod does not wait: its own client gives up after a tenth of a second, or the pod itself is
rolled over. Here callers hang up so on a vendor that often takes longer. Their work stops, at the
vendor too; whoever still waits is answered in full; and the vendor is not blamed for it: its
breaker stays closed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from adapters.simulator.faults import Hang, Latency
from tests.chaos.fault import Fault
from tests.chaos.world import Lane
from tests.servers.patience import TooLate

_PATIENCE_S = 0.1
_CUT_OFF_S = 0.9
"""Before that nothing but the pod ends an exchange."""


class PodHangsUp(Fault):
    vendor_faults = (Latency(delay_s=0.02, jitter_s=0.2),)

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        async with super().around(lane):
            lane.pod_patience_s = _PATIENCE_S
            try:
                yield
            finally:
                lane.pod_patience_s = None

    async def check(self, lane: Lane) -> None:
        traffic = lane.vendor.traffic
        async with lane.answering(Hang()):
            with suppress(TimeoutError):
                await lane.world.ask(lane.question("revenue", *range(300, 320)), _PATIENCE_S)
            if traffic.most_in_flight < 2:
                raise TooLate("nothing had reached the vendor before the pod hung up")
            async with asyncio.timeout(_CUT_OFF_S - _PATIENCE_S):
                await traffic.until(lambda one: one.in_flight == 0)
        assert (await lane.world.breakers(lane.name))["vendor"] == "closed"
