"""A query went wrong at the vendor, and the answer is larger than anything that a customer may
have. The pretend vendor answers with nine megabytes to every question for data. Above the cap
nothing is read: the pod is told `bad_response`, and soon `breaker_open`; memory stays as it was.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.lies import Saying


class GiganticBody(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Saying(body=b"[" + b" " * 9 * 1024 * 1024 + b"]"),)
