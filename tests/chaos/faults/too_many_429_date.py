"""The vendor limits its callers, and says until when by a date: 429, and `Retry-After` as HTTP
dates are written. The pretend vendor answers so to every question for data, with a date two seconds
ahead. The pod is told `rate_limited` at once until then, and nothing leaves meanwhile.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import RestUntil


class TooMany429Date(Fault):
    expects = frozenset({Reason.RATE_LIMITED})
    vendor_faults = (RestUntil(status=429),)
