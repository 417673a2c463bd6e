"""The vendor is being maintained, and says until when by a date: 503, and `Retry-After` as HTTP
dates are written. The pretend vendor answers so to every question for data, with a date two seconds
ahead. The pod is told `vendor_error`, and `breaker_open` at once until then.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import RestUntil


class Unavailable503Date(Fault):
    expects = frozenset({Reason.VENDOR_ERROR})
    vendor_faults = (RestUntil(status=503),)
