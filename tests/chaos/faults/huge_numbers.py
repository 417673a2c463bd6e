"""An amount of a million digits: `1E+999999` is JSON, and arithmetic on it takes minutes and all of
the memory. The pretend vendor writes it wherever it names an amount. It is no price: such a
customer is unpriced and known, the batch stands, and every answer is in time.
"""

from tests.chaos import looking
from tests.chaos.fault import Fault
from tests.chaos.lies import Amounts
from tests.chaos.world import Lane


class HugeNumbers(Fault):
    may_unprice = True
    vendor_faults = (Amounts(literal=b"1E+999999"),)

    async def check(self, lane: Lane) -> None:
        assert await looking.fee(lane, looking.PRICED, self.leeway) is None
