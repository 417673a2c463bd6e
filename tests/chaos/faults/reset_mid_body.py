"""The vendor's process crashes while it sends a body, so that a connection is reset after a good
head and half of the JSON. Here the pretend vendor does so after a hundred bytes. The pod is told
`unreachable`, and soon `breaker_open`; no figure is made of half a body.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Reset
from tests.chaos.fault import Fault


class ResetMidBody(Fault):
    expects = frozenset({Reason.UNREACHABLE})
    vendor_faults = (Reset(after_bytes=100),)
