"""Pedkai's database, which knows the vendor's id of each customer, hangs: it takes the query and
never answers. Here a relay before a real PostgreSQL holds every byte. Customers whose mapping is
remembered go on; of the others the pod is told `identity` before its deadline, and soon at once.
"""

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.ways import Silent


class IdentityDatabaseHung(Fault):
    needs_postgres = True
    expects = frozenset({Reason.IDENTITY})
    identity_ways = (Silent(),)
