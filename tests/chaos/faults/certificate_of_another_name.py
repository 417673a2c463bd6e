"""A load balancer sends our traffic to another of the vendor's systems, or somebody sits in
between. Here the pretend vendor shows a certificate of the right authority for another host name,
and whoever was connected is cut off. The pod is told `tls`, and soon `breaker_open`; nothing is
sent to who shows it.
"""

from tests.chaos.presenting import Presenting


class CertificateOfAnotherName(Presenting):
    leaf = "of_another_name"
