"""The vendor's join brings every row twice. The pretend vendor does so in every list. A row that is
the same as another counts once: the pod is answered in full, and no fee is doubled.
"""

from tests.chaos import looking
from tests.chaos.fault import Fault
from tests.chaos.lies import Twice
from tests.chaos.world import Lane


class DuplicateRows(Fault):
    vendor_faults = (Twice(),)

    async def check(self, lane: Lane) -> None:
        for number in (looking.PRICED, looking.OF_TWO_PRODUCTS):
            assert await looking.fee(lane, number, self.leeway) is not None
