"""A vendor dies half-way through a batch of 200: some of the customers are answered, then the
kernel resets what is open and refuses what comes. Here a batch of 200 is asked for as soon as the
fault begins, and the relay refuses once the vendor has seen a third of the exchanges that it takes.
The pod gets whom it was in time for, each fee as it is, and the rest of that batch is `unreachable`
or `breaker_open`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.bss_adapter import RevenueResult
from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.judge import Said, degraded
from tests.chaos.ways import Refuse
from tests.chaos.world import Lane

WHOLE, SEEN = 200, 70


class VendorDiesInABatch(Fault):
    expects = frozenset({Reason.UNREACHABLE})
    shows = False  # by what was asked later; that batch is looked at below

    def __init__(self) -> None:
        self._said: dict[str, Said | None] = {}
        """By lane, what that batch was answered."""

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        assert lane.relay is not None
        refuse = Refuse()
        async with super().around(lane):
            try:
                async with asyncio.TaskGroup() as group:
                    batch = group.create_task(
                        lane.world.ask(lane.question("revenue", *range(WHOLE)))
                    )
                    await _until_asked(lane, batch)
                    await lane.relay.begin(refuse)
                self._said[lane.name] = batch.result()
                yield
            finally:
                await lane.relay.end(refuse)

    async def check(self, lane: Lane) -> None:
        """It was cut in the middle: some are priced, and the others are said to be unavailable."""
        question, said = lane.question("revenue", *range(WHOLE)), self._said[lane.name]
        assert lane.world.judge.verdict(question, said, self.leeway).wrong == ()
        assert said is not None
        assert degraded(said) is not None
        assert RevenueResult.model_validate_json(said.body).priced_customer_count > 0


async def _until_asked(lane: Lane, batch: asyncio.Task[Said | None]) -> None:
    """Until the vendor has seen enough of it; or to its end, where another fault keeps it away."""
    traffic = lane.vendor.traffic
    enough = traffic.counts.total() + SEEN
    async with asyncio.TaskGroup() as group:
        seen = group.create_task(traffic.until(lambda one: one.counts.total() >= enough))
        await asyncio.wait({batch, seen}, return_when=asyncio.FIRST_COMPLETED)
        seen.cancel()
