"""Some vendors say 204, without a body, where others give an empty list. The pretend vendor does so
wherever it has no rows. Nothing is amiss: 204 says outright that there is nothing, and the pod is
answered in full.
"""

from tests.chaos import looking
from tests.chaos.fault import Fault
from tests.chaos.lies import NoContent
from tests.chaos.world import Lane


class NoContent204(Fault):
    shape = "amdocs"
    vendor_faults = (NoContent(),)

    async def check(self, lane: Lane) -> None:
        question = lane.question("account", looking.UNKNOWN)
        assert (await looking.told(lane, question, self.leeway))[0] == 404
        assert lane.vendor.traffic.replies[204] > 0
