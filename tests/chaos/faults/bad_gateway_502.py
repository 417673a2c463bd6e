"""The vendor's gateway stands and nobody is behind it: 502 with a page of HTML, for every second
request, as where one of two servers is gone. The pretend vendor answers so by chance. What a retry
does not mend is told the pod as `vendor_error`, and soon as `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Status
from tests.chaos.fault import Fault


class BadGateway502(Fault):
    expects = frozenset({Reason.VENDOR_ERROR})
    vendor_faults = (Status(status=502, share=0.5),)
