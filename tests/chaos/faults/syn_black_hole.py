"""The vendor's host is gone, or a firewall drops what is sent there: nobody answers a SYN, and on
connections that were open nothing comes any more. Here the relay's socket listens with a backlog
that is full, so that the kernel itself drops every SYN. The pod is told `unreachable` or `deadline`
no later than its deadline, and soon `breaker_open` without any delay.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import BlackHole


class SynBlackHole(Fault):
    expects = frozenset({Reason.UNREACHABLE, Reason.DEADLINE})
    ways = (BlackHole(),)
