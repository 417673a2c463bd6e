"""A vendor's upgrade renames a filter, and the old name is ignored: every query is answered with
everybody's rows, page by page. The pretend vendor does so. A row counts for a customer only if it
names that customer, so no stranger's fee is ever added. Reading a thousand rows to find one takes
its time: the pod is told `bad_response` or `deadline`, or gets the right fee after all.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import IgnoredFilter as Ignored
from tests.chaos.fault import Fault


class IgnoredFilter(Fault):
    expects = frozenset({Reason.BAD_RESPONSE, Reason.DEADLINE})
    vendor_faults = (Ignored(),)
