"""The vendor's process crashes while it answers, so that a connection is reset between two header
lines. Here the pretend vendor writes thirty bytes of its head, in a TLS record of their own, and
resets. The pod is told `unreachable`, and soon `breaker_open`; half a head is no answer.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Reset
from tests.chaos.fault import Fault


class ResetMidHeaders(Fault):
    expects = frozenset({Reason.UNREACHABLE})
    vendor_faults = (Reset(after_bytes=30, part="head"),)
