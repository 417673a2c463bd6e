"""The vendor makes up pages: each has rows that nobody saw before, and a link to one more. The
pretend vendor does so. After some pages nobody believes it, and nothing of what was read is summed
up: the pod is told `bad_response`, or `deadline` where time was over first.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import EndlessPages as Endless


class EndlessPages(Fault):
    expects = frozenset({Reason.BAD_RESPONSE, Reason.DEADLINE})
    vendor_faults = (Endless(),)
