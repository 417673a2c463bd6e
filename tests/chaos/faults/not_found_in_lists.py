"""An API behind the vendor's gateway was taken down, and the gateway answers for it in the vendor's
own words: 404 with a proper error body, where a list was asked for. A filter that matches nothing
gives an empty list, so this says nothing about any customer. The pod is told `bad_response`, and
nobody is missing who is not.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import NotFound


class NotFoundInLists(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (NotFound(of_lists=True),)
