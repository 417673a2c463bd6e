"""The vendor is far away all of a sudden: its traffic takes the way around by another continent.
Here the relay holds each flight of bytes for 120 ms. The pod is answered, if later; where a
question takes more exchanges than fit into its deadline, the rest of it is `deadline`.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault, Seen
from tests.chaos.ways import Latency

DELAY_S = 0.12


class FarAway(Fault):
    expects = frozenset({Reason.DEADLINE, Reason.UNREACHABLE})
    shows = False
    ways = (Latency(DELAY_S),)

    def bites(self, seen: Seen) -> bool:
        return seen.full > 0 and seen.quantile_s(0.5) >= DELAY_S
