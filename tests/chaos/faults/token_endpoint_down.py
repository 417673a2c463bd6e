"""The identity provider is down while the vendor itself is well. Its port is closed at a relay of
its own, and the vendor forgets the tokens that it gave, so that a new one is needed. The pod is
told `auth`; the vendor's own breaker has nothing to say about it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import Refuse
from tests.chaos.world import Lane


class TokenEndpointDown(Fault):
    expects = frozenset({Reason.AUTH})
    token_ways = (Refuse(),)

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        async with super().around(lane):
            lane.forget_tokens()
            yield
