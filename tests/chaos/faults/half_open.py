"""A firewall has restarted and forgotten every connection, or the vendor's host has lost its power:
what is sent on them goes nowhere, and neither FIN nor RST ever comes. New connections are served.
Here the relay swallows whatever comes on those that are open. The pod is told `unreachable` or
`deadline` in time, and is answered in full again as soon as there are new connections.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import HalfOpen as Forgotten


class HalfOpen(Fault):
    expects = frozenset({Reason.UNREACHABLE, Reason.DEADLINE})
    shows = False  # where the second try finds a new connection, nobody lacks anything
    ways = (Forgotten(),)
