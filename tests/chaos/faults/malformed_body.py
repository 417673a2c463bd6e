"""The vendor makes JSON by hand, with single quotes and a comma too many. The pretend vendor
answers so for all data. Nobody guesses what it means: the pod is told `bad_response`, and soon
`breaker_open`.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import Saying


class MalformedBody(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Saying(body=b"[{'id': 1,}]"),)
