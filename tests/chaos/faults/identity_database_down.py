"""Pedkai's database, which knows the vendor's id of each customer, is down: its socket refuses, and
what was open is reset. Here a relay before a real PostgreSQL does that. Customers whose mapping is
remembered go on; of the others the pod is told `identity`, and the vendor has nothing to do with
it.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import Refuse


class IdentityDatabaseDown(Fault):
    needs_postgres = True
    expects = frozenset({Reason.IDENTITY})
    identity_ways = (Refuse(),)
