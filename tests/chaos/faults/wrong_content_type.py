"""The right JSON comes as `text/html`, as from a web server that serves a file or a page in
disguise. The pretend vendor says so of all its data. What is not called JSON is not read as JSON:
the pod is told `bad_response`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Garbage
from tests.chaos.fault import Fault


class WrongContentType(Fault):
    expects = frozenset({Reason.BAD_RESPONSE})
    vendor_faults = (Garbage(kind="wrong_type"),)
