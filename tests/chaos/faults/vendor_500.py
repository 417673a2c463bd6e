"""The vendor's application breaks on every request, and the gateway in front of it says 500 with a
page of HTML. The pretend vendor answers so for its data, not for tokens. The pod is told
`vendor_error`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Status
from tests.chaos.fault import Fault


class Vendor500(Fault):
    expects = frozenset({Reason.VENDOR_ERROR})
    vendor_faults = (Status(status=500),)
