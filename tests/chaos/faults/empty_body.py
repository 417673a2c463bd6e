"""The vendor answers 200 with a body of no bytes at all, as a proxy does that lost its upstream.
The pretend vendor does so for all data. It says nothing, and least of all that there is no such
customer: the pod is told `bad_response`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Garbage
from tests.chaos.fault import Fault


class EmptyBody(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Garbage(kind="empty"),)
