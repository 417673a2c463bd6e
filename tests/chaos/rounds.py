"""Which faults are tried at the same time, each on a lane of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adapters.simulator.population import SHAPES
from tests.chaos.fault import Fault

Round = Sequence["Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A fault and where it is tried."""

    fault: Fault
    lane: str


def rounds(faults: Iterable[Fault]) -> Sequence[Round]:
    """Each fault once: as many at a time as there are lanes, and those that need it alone."""
    open_rounds: list[list[Place]] = []
    closed: list[list[Place]] = []
    for number, fault in enumerate(faults):
        if fault.alone:
            closed.append([Place(fault, _lanes(fault, number)[0])])
            continue
        if not any(_joined(one, fault, number) for one in open_rounds):
            open_rounds.append([Place(fault, _lanes(fault, number)[0])])
    return [*open_rounds, *closed]


def _joined(one: list[Place], fault: Fault, number: int) -> bool:
    taken = {place.lane for place in one}
    for lane in _lanes(fault, number):
        if lane not in taken:
            one.append(Place(fault, lane))
            return True
    return False


def _lanes(fault: Fault, number: int) -> Sequence[str]:
    """Where it can be tried; which vendor comes first differs from fault to fault."""
    if fault.where == "local":
        return ("local",)
    if fault.shape is not None:
        return (fault.shape,)
    turn = number % len(SHAPES)
    return SHAPES[turn:] + SHAPES[:turn]
