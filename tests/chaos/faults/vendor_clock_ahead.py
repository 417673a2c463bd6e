"""The vendor's clock is ten minutes ahead of ours, and it says by a date until when it wants to be
left alone: 429. The pretend vendor answers so, with two seconds between its `Date` and its
`Retry-After`. It means two seconds and gets two, not ten minutes: the pod is told `rate_limited`,
and is served again soon after.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import RestUntil


class VendorClockAhead(Fault):
    expects = frozenset({Reason.RATE_LIMITED})
    vendor_faults = (RestUntil(clock_ahead_s=600),)
