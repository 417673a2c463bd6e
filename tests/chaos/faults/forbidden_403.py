"""The vendor knows this client and does not let it see what it asks for: a scope or a contract is
missing. The pretend vendor answers 403 to every question for data. The pod is told `auth`, and soon
`breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Status
from tests.chaos.fault import Fault


class Forbidden403(Fault):
    expects = frozenset({Reason.AUTH})
    vendor_faults = (Status(status=403),)
