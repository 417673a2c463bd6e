"""Pedkai's own database, where it is the billing system, hangs: it takes the query and never
answers. Here a relay before a real PostgreSQL holds every byte. The pod hears of it by its
deadline, and at once when the breaker has opened.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import Silent


class LocalDatabaseHung(Fault):
    needs_postgres = True
    where = "local"
    expects = frozenset({Reason.DEADLINE, Reason.UNREACHABLE})
    ways = (Silent(),)
