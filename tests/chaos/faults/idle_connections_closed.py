"""The vendor's load balancer closes connections that were idle for longer than it likes, which is
less than we keep them. Here the relay does (FIN) when nothing came for 60 ms after a reply. The pod
notices next to nothing: who finds a connection closed opens another, and the race that is now and
then lost costs one more exchange; only where the budget for those is spent, `unreachable`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.fault import Fault, Seen
from tests.chaos.ways import CloseIdle
from tests.chaos.world import Lane


class IdleConnectionsClosed(Fault):
    expects = frozenset({Reason.UNREACHABLE})
    shows = False
    ways = (CloseIdle(after_s=0.06),)

    def __init__(self) -> None:
        self._before: dict[str, int] = {}
        """By lane, how many connections there had been."""

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        assert lane.relay is not None
        self._before[lane.name] = lane.relay.accepted
        async with super().around(lane):
            yield

    async def check(self, lane: Lane) -> None:
        """Connections were opened in place of those that were closed."""
        assert lane.relay is not None
        assert lane.relay.accepted > self._before[lane.name]

    def bites(self, seen: Seen) -> bool:
        return seen.full > 0
