"""The vendor ignores where a page is to begin: each `next` link leads to the same page again, for
ever. The pretend vendor does so. A page that comes twice ends the reading, for a list of unknown
length gives wrong figures: the pod is told `bad_response`, after two exchanges and not thousands.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import SamePageForEver as SamePage
from tests.chaos.fault import Fault


class SamePageForEver(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (SamePage(),)
