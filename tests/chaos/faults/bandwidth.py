"""A line has all but failed: a few bytes a second get through, for everybody who is on it. Here the
relay lets thirty bytes a second down each connection, the handshakes of new ones included. The pod
is told `unreachable` or `deadline` in time, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import Bandwidth


class AFewBytesASecond(Fault):
    expects = frozenset({Reason.UNREACHABLE, Reason.DEADLINE})
    ways = (Bandwidth(bytes_per_s=30),)
