"""The vendor has mounted its next certificate too early, or a clock is wrong. Here the pretend
vendor shows one of the right authority that begins tomorrow, and whoever was connected is cut off.
The pod is told `tls`, and soon `breaker_open`; nothing is sent to who shows it.
"""

from tests.chaos.presenting import Presenting


class CertificateNotYetValid(Presenting):
    leaf = "not_yet_valid"
