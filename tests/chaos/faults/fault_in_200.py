"""The vendor's older services tell an error with status 200 and a `Fault` object, as CSG's own APIs
do. The pretend vendor answers so to every question for data. It is no answer, whatever its status:
the pod is told `vendor_error`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import FaultIn200 as FaultWith200
from tests.chaos.fault import Fault


class FaultIn200(Fault):
    shape = "csg"
    expects = frozenset({Reason.VENDOR_ERROR})
    vendor_faults = (FaultWith200(),)
