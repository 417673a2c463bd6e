"""The vendor's gateway sends its callers to a login page on another host: 302. The pretend vendor
does so for all data, and somebody listens at that address. Nobody follows, for our token would go
along: the pod is told `bad_response`, soon `breaker_open`, and the listener hears nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from adapters.simulator.faults import Redirect
from tests.chaos.fault import Fault
from tests.chaos.looking import never_reached
from tests.chaos.world import Lane


class RedirectElsewhere(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        async with (
            never_reached(lane) as origin,
            lane.answering(Redirect(location=f"{origin}/login")),
        ):
            yield
