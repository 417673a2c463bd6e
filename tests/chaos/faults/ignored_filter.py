"""A vendor's upgrade renames a filter, and the old name is ignored: every query is answered with
everybody's rows, page by page. The pretend vendor does so. A row counts for a customer only if it
names that customer, so no stranger's fee is ever added; and a full page of strangers' rows ends the
list, so nobody reads a thousand of them to find one. The pod is told `bad_response`, and soon
`breaker_open`; no customer is ever missing for it.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import IgnoredFilter as Ignored
from tests.chaos.fault import Fault


class IgnoredFilter(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Ignored(),)
