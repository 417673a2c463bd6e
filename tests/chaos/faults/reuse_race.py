"""A server closes a connection that it had kept in the very moment in which the next request is
sent on it: nobody read that request, and nobody says so. Here the relay does so (FIN) with one in
five requests on a used connection. The pod gets what one more exchange brings; only where there are
more of those than their budget allows, it is told `unreachable`.
"""

from itertools import count

from adapters.outcome import Reason
from tests.chaos.fault import Fault, Seen
from tests.chaos.relay import Carry, Link, Relay, Side, Way


class CloseOnFifth(Way):
    """By number, not by chance, so that a short load meets it too."""

    def __init__(self) -> None:
        self._requests = count(1)
        self.met = 0

    def begin(self, relay: Relay) -> None:
        self.met = 0

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        begins = side == "up" and link.flight >= 3 and link.flight_bytes == 0
        if begins and next(self._requests) % 5 == 0:
            self.met += 1
            link.finish()
        else:
            await go_on(data)


RACE = CloseOnFifth()


class ReuseRace(Fault):
    expects = frozenset({Reason.UNREACHABLE})
    shows = False
    ways = (RACE,)

    def bites(self, seen: Seen) -> bool:
        return RACE.met > 0 and seen.full > 0
