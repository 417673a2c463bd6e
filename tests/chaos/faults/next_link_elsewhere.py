"""A page's `next` link leads to another host: a vendor behind a badly set up gateway shows its
inner address, or somebody wants our token. The pretend vendor says so on each page, and somebody
listens there. Nobody follows: the next page is asked for by its offset where the vendor is known to
be, and since it does not come the list is not whole. The pod is told `bad_response`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from adapters.simulator.faults import NextElsewhere
from tests.chaos.fault import Fault
from tests.chaos.looking import never_reached
from tests.chaos.world import Lane


class NextLinkElsewhere(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        async with (
            never_reached(lane) as origin,
            lane.answering(NextElsewhere(link=f"{origin}/product?offset=1")),
        ):
            yield
