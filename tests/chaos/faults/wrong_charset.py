"""The vendor's new server speaks UTF-16, and says so, though JSON between systems is UTF-8 (RFC
8259, section 8.1). The pretend vendor recodes all of its data. The pod is told `bad_response`, and
soon `breaker_open`.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import Recoded


class WrongCharset(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Recoded(charset="utf-16"),)
