"""The vendor moved its APIs to another path, or somebody mistyped it: a web server answers every
question with 404 and a page of HTML. The pretend vendor does so. That is nobody's "no such
customer": the pod is told `bad_response`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Status
from tests.chaos.fault import Fault


class WrongPath404(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Status(status=404),)
