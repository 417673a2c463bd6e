"""A line that is shared with others delivers at once or late, as it happens. Here the relay holds
each flight of bytes for up to 250 ms, evenly spread. The pod is answered, if later; where the
exchanges of a question add up to more than its deadline, the rest of it is `deadline`.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault, Seen
from tests.chaos.ways import Latency


class Jitter(Fault):
    expects = frozenset({Reason.DEADLINE, Reason.UNREACHABLE})
    shows = False
    ways = (Latency(0.0, jitter_s=0.25),)

    def bites(self, seen: Seen) -> bool:
        return seen.full > 0 and seen.quantile_s(0.75) >= 0.1
