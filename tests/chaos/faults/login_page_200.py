"""A session of the vendor's gateway ended, and it answers with its login page, status 200. The
pretend vendor does so to every question for data. That is no answer: the pod is told
`bad_response`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Garbage
from tests.chaos.fault import Fault


class LoginPage200(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Garbage(kind="html"),)
