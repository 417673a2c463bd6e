"""A body is nested thousands of levels deep, which breaks parsers that call themselves for each.
The pretend vendor answers so for all data. It is refused before it is parsed, at the speed of
bytes: the pod is told `bad_response`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Garbage
from tests.chaos.fault import Fault


class DeeplyNested(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Garbage(kind="nested"),)
