"""The vendor's gateway no longer lets this client in, though the issuer gives it tokens: a role was
taken away, or gateway and issuer do not know each other's keys. The pretend vendor answers 401 to
every question for data. The pod is told `auth`, and soon `breaker_open`; a hundred refusals cause
one new token a second and no storm on the issuer.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import Status
from tests.chaos.fault import Fault
from tests.chaos.world import Lane


class Unauthorized401(Fault):
    expects = frozenset({Reason.AUTH})
    vendor_faults = (Status(status=401),)

    async def check(self, lane: Lane) -> None:
        counts = lane.vendor.traffic.counts
        assert counts["token"] < sum(counts.values()) / 3
