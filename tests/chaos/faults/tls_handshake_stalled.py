"""The vendor's load balancer has run out of whatever it needs for TLS: connections are accepted,
the handshake begins and never ends. Here the relay hands on the first bytes of the server's part
and keeps the rest; connections that were open are reset. The pod is told `unreachable` as soon as
the time for connecting is over, or `deadline`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import StalledHandshake


class TlsHandshakeStalled(Fault):
    expects = frozenset({Reason.UNREACHABLE, Reason.DEADLINE})
    ways = (StalledHandshake(),)
