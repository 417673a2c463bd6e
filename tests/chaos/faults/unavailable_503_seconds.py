"""The vendor is being maintained: 503 with a page of HTML, and a `Retry-After` in seconds. The
pretend vendor answers so to every question for data. The pod is told `vendor_error`, and
`breaker_open` at once for as long as the vendor said: one such answer is enough.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Status
from tests.chaos.fault import Fault


class Unavailable503Seconds(Fault):
    expects = frozenset({Reason.VENDOR_ERROR})
    vendor_faults = (Status(status=503, retry_after="1"),)
