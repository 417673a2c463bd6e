"""A vendor streams from a database that is overrun: the head comes at once, the body in drops that
would take minutes. Here the pretend vendor writes eight bytes at a time, each in a TLS record of
its own, ten times a second. The pod is told `unreachable` or `deadline` in time, and soon
`breaker_open`.
"""

from adapters.outcome import Reason
from adapters.simulator.faults import SlowDrip
from tests.chaos.fault import Fault


class SlowDripBody(Fault):
    expects = frozenset({Reason.UNREACHABLE, Reason.DEADLINE})
    vendor_faults = (SlowDrip(piece_bytes=8, pause_s=0.1),)
