"""Nothing breaks: the control. Every question is answered in full, and what is measured here is
what the machine itself costs.
"""

from tests.chaos.fault import Fault


class NoFault(Fault):
    where = "any"
