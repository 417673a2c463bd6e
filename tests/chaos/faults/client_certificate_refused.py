"""The vendor no longer lets our client certificate in: it was revoked, or its authority was taken
off the vendor's list. Here the pretend vendor trusts the clients of another authority only, and
whoever was connected is cut off. Under TLS 1.3 our handshake has ended before the vendor refuses,
so that the pod is told `tls` or `unreachable`, and soon `breaker_open`.
"""

from adapters.outcome import Reason
from tests.chaos.presenting import Presenting


class ClientCertificateRefused(Presenting):
    expects = frozenset({Reason.TLS, Reason.UNREACHABLE})
    clients_of = "stranger"
