"""A health check answers in place of the vendor: 200, JSON, and all it says is "OK". The pretend
vendor does so for all data. It is neither a list nor a resource: the pod is told `bad_response`,
and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Garbage
from tests.chaos.fault import Fault


class ScalarBody(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Garbage(kind="scalar"),)
