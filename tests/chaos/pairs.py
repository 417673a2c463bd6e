"""Two faults at once, by chance, on a lane that both fit."""

import random
from collections.abc import Mapping, Sequence

from tests.chaos.fault import Fault
from tests.chaos.world import Lane

CONTROL = "no_fault"


def pair(
    faults: Mapping[str, Fault], lane: Lane, luck: random.Random
) -> tuple[Fault, Fault] | None:
    """`None` where the lane has no two that go together."""
    fitting = breaking(faults, lane)
    if len(fitting) < 2:
        return None
    one, other = luck.sample(fitting, 2)
    return one, other


def breaking(faults: Mapping[str, Fault], lane: Lane) -> Sequence[Fault]:
    """Those that break something here and nothing elsewhere."""
    return [
        one for name, one in faults.items() if name != CONTROL and not one.alone and one.fits(lane)
    ]
