"""A vendor that is overrun, or an attacker in its place, sends its head byte by byte: never silent
for long, and never done. Here the pretend vendor writes four bytes at a time, each in a TLS record
of its own, ten times a second. The pod is told `unreachable` or `deadline` in time, for the time of
an exchange counts as a whole, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import SlowDrip
from tests.chaos.fault import Fault


class SlowDripHeaders(Fault):
    expects = frozenset({Reason.UNREACHABLE, Reason.DEADLINE})
    vendor_faults = (SlowDrip(piece_bytes=4, pause_s=0.1, part="head"),)
