"""The vendor has changed to an authority that nobody told us of, or somebody sits in between. Here
the pretend vendor shows a certificate for the right name by an authority that is not in our trust
bundle, and whoever was connected is cut off. The pod is told `tls`, and soon `breaker_open`;
nothing is sent to who shows it.
"""

from tests.chaos.presenting import Presenting


class CertificateOfUnknownCa(Presenting):
    leaf = "of_a_stranger"
