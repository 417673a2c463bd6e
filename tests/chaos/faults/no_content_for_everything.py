"""The vendor's gateway swallows the bodies: 204 to every question, by id too. The pretend vendor
does so. An empty list may be said that way, so a customer without products is asked for by id; and
there 204 is no answer: the pod is told `bad_response`, and nobody is missing for it.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import NoContent


class NoContentForEverything(Fault):
    shape = "csg"
    expects = frozenset({Reason.BAD_RESPONSE})
    may_deny = True  # of disputes, whose list is empty by the vendor's own word
    vendor_faults = (NoContent(of_everything=True),)
