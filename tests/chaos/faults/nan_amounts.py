"""The vendor divides by nothing, and writes `NaN` where an amount should be, which many parsers
take. The pretend vendor does so wherever it names an amount. It is no price: such a customer is
unpriced and known, the batch stands, and nobody is degraded, for the vendor did answer.
"""

from tests.chaos import looking
from tests.chaos.fault import Fault
from tests.chaos.lies import Amounts
from tests.chaos.world import Lane


class NanAmounts(Fault):
    may_unprice = True
    vendor_faults = (Amounts(literal=b"NaN"),)

    async def check(self, lane: Lane) -> None:
        assert await looking.fee(lane, looking.PRICED, self.leeway) is None
