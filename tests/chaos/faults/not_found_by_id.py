"""The vendor lost its customers' master data, and says so properly: 404 with an error body to every
question by id, while lists are answered. Here the pretend vendor does that. It is the vendor's own
word: whoever has products keeps the fee, whoever has none is 404, nobody is degraded, and the
breaker stays closed, since a valid 404 is an answer.
"""

from tests.chaos import looking
from tests.chaos.fault import Fault
from tests.chaos.lies import NotFound
from tests.chaos.world import Lane


class NotFoundById(Fault):
    shape = "csg"
    may_deny = True
    vendor_faults = (NotFound(),)

    async def check(self, lane: Lane) -> None:
        assert lane.vendor.traffic.replies[404] > 0
        assert await looking.fee(lane, looking.PRICED, self.leeway) is not None
        assert (await lane.world.breakers(lane.name))["vendor"] == "closed"
