"""The vendor's replicas disagree: the same product comes twice in one list, with two prices. The
pretend vendor adds a dearer twin to each product. Nobody can say which one is true, so nobody
guesses: such a customer is unpriced and known, and nobody is degraded.
"""

from tests.chaos import looking
from tests.chaos.fault import Fault
from tests.chaos.lies import Contradiction
from tests.chaos.world import Lane


class ContradictoryRows(Fault):
    may_unprice = True
    vendor_faults = (Contradiction(),)

    async def check(self, lane: Lane) -> None:
        assert await looking.fee(lane, looking.PRICED, self.leeway) is None
