"""One exchange in fifty takes far too long: garbage is being collected, a disk is slow, a packet
was lost twice. Here the relay holds every fiftieth flight of bytes for 1.5 s. The pod is answered
in full but for who was met by it: `deadline` or `unreachable` for them alone, in time, and the
breaker stays closed, for the vendor as a whole is well.
"""

import asyncio
from itertools import count

from adapters.outcome import Reason
from tests.chaos.fault import Fault, Seen
from tests.chaos.relay import Carry, Link, Relay, Side, Way

EVERY, DELAY_S = 50, 1.5


class EveryFiftieth(Way):
    """By number, not by chance, so that a short load meets it too."""

    def __init__(self) -> None:
        self._flights = count(1)
        self.met = 0

    def begin(self, relay: Relay) -> None:
        self._flights, self.met = count(EVERY // 2), 0

    async def carry(self, link: Link, side: Side, data: bytes, go_on: Carry) -> None:
        begins = side == "down" and link.flight_bytes == len(data)
        if begins and next(self._flights) % EVERY == 0:
            self.met += 1
            await asyncio.sleep(DELAY_S)
        await go_on(data)


TAIL = EveryFiftieth()


class SlowTail(Fault):
    expects = frozenset({Reason.DEADLINE, Reason.UNREACHABLE})
    shows = False
    ways = (TAIL,)

    def bites(self, seen: Seen) -> bool:
        return TAIL.met > 0 and seen.quantile_s(0.5) < DELAY_S / 2
