"""The vendor gives one row to a page, whatever is asked for: 206, a total, and a `next` link to
itself. The pretend vendor does so. Every page is read to the end, and the pod is answered in full:
a fee of two products is never that of the first page.
"""

from tests.chaos import looking
from tests.chaos.fault import Fault
from tests.chaos.lies import SmallPages
from tests.chaos.world import Lane


class Paging206(Fault):
    shape = "cerillion"
    vendor_faults = (SmallPages(),)

    async def check(self, lane: Lane) -> None:
        seen = lane.vendor.traffic.replies
        before = seen[206]
        assert await looking.fee(lane, looking.OF_TWO_PRODUCTS, self.leeway) is not None
        assert seen[206] > before
