"""A vendor's server ends its side of a connection (FIN) in the middle of a reply and goes on
reading, as some do that were told to stop. Here the relay ends the way down after forty bytes of a
reply and takes what still comes up. The pod is told `unreachable`, and soon `breaker_open`; no
connection is left half closed.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import HalfClose as EndsEarly


class HalfClose(Fault):
    expects = frozenset({Reason.UNREACHABLE})
    ways = (EndsEarly(after_bytes=40),)
