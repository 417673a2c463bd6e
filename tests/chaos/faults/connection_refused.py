"""The vendor's process is gone, or its port is closed: the kernel refuses every new connection at
once, and those that were open are reset. Here the relay's port stays bound and does not listen. The
pod is told `unreachable` without delay, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import Refuse


class ConnectionRefused(Fault):
    expects = frozenset({Reason.UNREACHABLE})
    ways = (Refuse(),)
