"""The identity provider is down when the token that the sidecar has comes to its end, while the
vendor itself is well. The pretend vendor gives tokens of a second; then a relay of its own closes
the token endpoint's port, and the fault begins when the latest of them has ended. The pod is told
`auth` at once, nothing is sent to the vendor, and the vendor's own breaker stays closed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos import looking
from tests.chaos.fault import Fault
from tests.chaos.ways import Refuse
from tests.chaos.world import Lane

_LIFE_S = 1.0
_UNDER_WAY_S = 0.5
"""A token may have been asked for a moment before."""


class TokenEndpointDown(Fault):
    expects = frozenset({Reason.AUTH})

    def __init__(self) -> None:
        self._sent: dict[str, int] = {}
        """Requests to the vendor of each lane when the fault began."""

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        relay, tokens = lane.token_relay, lane.vendor.tokens
        assert relay is not None
        assert tokens is not None
        usual_s, tokens.lifetime_s = tokens.lifetime_s, _LIFE_S
        try:
            lane.forget_tokens()
            await lane.world.ask(lane.question("account", looking.PRICED))
            async with relay.behaving(Refuse()):
                await asyncio.sleep(_LIFE_S + _UNDER_WAY_S)
                self._sent[lane.name] = _requests(lane)
                yield
        finally:
            tokens.lifetime_s = usual_s

    async def check(self, lane: Lane) -> None:
        status, problem = await looking.told(
            lane, lane.question("account", looking.PRICED), self.leeway
        )
        reason = problem.get("reason")
        assert (status, reason) == (503, Reason.AUTH), f"told {status} {reason}"
        state = (await lane.world.breakers(lane.name))["vendor"]
        assert state == "closed", f"the vendor's breaker is {state}"
        sent = _requests(lane) - self._sent[lane.name]
        assert sent == 0, f"{sent} requests were sent to the vendor without a token"


def _requests(lane: Lane) -> int:
    return sum(lane.vendor.traffic.counts.values())
