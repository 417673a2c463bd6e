"""The vendor's database holds bytes of an older encoding, and they come through as they are in what
is called UTF-8. The pretend vendor answers so for all data. Nobody guesses what they mean: the pod
is told `bad_response`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Garbage
from tests.chaos.fault import Fault


class NotUtf8(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Garbage(kind="not_utf8"),)
