"""The vendor limits its callers: 429, and a `Retry-After` in seconds. The pretend vendor answers so
to every question for data. The pod is told `rate_limited` at once, for as long as the vendor wants
to be left alone, and nothing leaves meanwhile.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import TooMany
from tests.chaos.fault import Fault


class TooMany429Seconds(Fault):
    expects = frozenset({Reason.RATE_LIMITED})
    vendor_faults = (TooMany(retry_after="1"),)
