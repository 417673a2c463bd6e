"""A vendor that is stuck, or a firewall in front of a dead one, accepts connections and never says
a byte; on connections that were open nothing comes any more. Here the relay takes what comes and
holds it. The pod hears of it when its own deadline ends, or at once when the breaker has opened.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import Silent


class AcceptedAndSilent(Fault):
    expects = frozenset({Reason.UNREACHABLE, Reason.DEADLINE})
    ways = (Silent(),)
