"""A firewall that fails over resets connections wherever they are, in the middle of a TLS record
and for one reply in three only. Here the relay does so after forty bytes of a reply. The pod gets
what the retries bring in time; for the rest it is told `unreachable`, or `breaker_open` where too
many were cut.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import ResetReply


class ResetMidRecord(Fault):
    expects = frozenset({Reason.UNREACHABLE})
    shows = False
    ways = (ResetReply(after_bytes=40, share=0.3),)
