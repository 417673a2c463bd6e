"""The vendor has let its server certificate expire. Here the pretend vendor shows one of the right
authority that ended yesterday, and whoever was connected is cut off. The pod is told `tls`, and
soon `breaker_open`; nothing is sent to who shows it.
"""

from tests.chaos.presenting import Presenting


class CertificateExpired(Presenting):
    leaf = "expired"
