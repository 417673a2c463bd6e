"""A vendor's server runs out of memory while it writes, and the JSON ends in the middle, though
HTTP says that it is whole. The pretend vendor cuts every body in half. Nothing of a part is
believed: the pod is told `bad_response`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Garbage
from tests.chaos.fault import Fault


class TruncatedBody(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Garbage(kind="truncated"),)
