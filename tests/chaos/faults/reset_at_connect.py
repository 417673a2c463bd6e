"""A load balancer without anybody behind it accepts every connection and resets it at once. Here
the relay does, and resets those that were open too. The pod is told `unreachable` without delay,
and soon `breaker_open`.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import ResetAtConnect


class ResetAtTheConnect(Fault):
    expects = frozenset({Reason.UNREACHABLE})
    ways = (ResetAtConnect(),)
