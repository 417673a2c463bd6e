"""What all faults of a token endpoint have in common."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.world import Lane


class OfTheIssuer(Fault):
    """The vendor forgets the tokens that it gave, so that a new one is needed."""

    expects = frozenset({Reason.AUTH})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        async with super().around(lane):
            await self.again(lane)
            yield

    async def again(self, lane: Lane) -> None:
        lane.forget_tokens()
