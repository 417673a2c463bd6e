"""Pedkai's own database, where it is the billing system, is down: its socket refuses, and what was
open is reset. Here a relay before a real PostgreSQL does that. The pod is told `unreachable`
without delay, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import Refuse


class LocalDatabaseDown(Fault):
    needs_postgres = True
    where = "local"
    expects = frozenset({Reason.UNREACHABLE})
    ways = (Refuse(),)
