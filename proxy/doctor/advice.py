"""From what went wrong on the way to a vendor to its cause and its cure. Pure."""

import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from proxy.credentials.certificates import CertificateFacts
from proxy.doctor.alerts import of_alert, of_hang_up
from proxy.doctor.certificates import issuer_of, moment, names_of, subject_of
from proxy.doctor.findings import Advice
from proxy.doctor.reaching import PATIENCE_S, Endpoint, Handshake

EXPIRED, NOT_YET_VALID = 10, 9  # X509_V_ERR_* of OpenSSL's x509_vfy.h
OTHER_HOST = (62, 64)
NO_ISSUER = (2, 18, 19, 20, 21)

_NOT_TLS = {
    *("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"),
    *("PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"),
}


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom a connection trusts."""

    bundle: str | None
    """The file; `None`: the system's authorities."""
    authorities: tuple[str, ...] = ()
    """Subjects of the bundle's certificates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What was shown to a server, and what was expected of it."""

    endpoint: Endpoint
    trust: Trust
    client: CertificateFacts | None
    """The client certificate, if there is one."""
    certificate_file: str | None
    now: datetime

    @property
    def words(self) -> Mapping[str, str]:
        """What the advice on an alert may name."""
        return {
            "issuer": issuer_of(self.client) if self.client else "its issuer",
            "subject": subject_of(self.client) if self.client else "the client",
            "file": self.certificate_file or "tls.certificate_file",
            "name": self.endpoint.expected_name,
        }


def of_address(endpoint: Endpoint, error: OSError) -> Advice:
    """Why a name did not resolve."""
    if isinstance(error, TimeoutError):
        return Advice(
            cause=f"the name service did not answer within {PATIENCE_S:.0f} s",
            cure="mend the DNS of this machine or pod; in Kubernetes allow egress to kube-dns, "
            "port 53",
        )
    kind = "" if not isinstance(error, socket.gaierror) else f" ({_gai_name(error)})"
    return Advice(
        cause=f"the name {endpoint.host} is not known here{kind}",
        cure="check how the host is written in the connection's URLs, and that this machine or pod "
        "can resolve it",
    )


def of_connection(endpoint: Endpoint, error: OSError) -> Advice:
    """Why there is no TCP connection."""
    if isinstance(error, TimeoutError):
        return Advice(
            cause=f"{endpoint} did not answer within {PATIENCE_S:.0f} s: something on the way "
            "drops the packets, or the server is down",
            cure=f"allow egress to {endpoint} in firewalls and NetworkPolicies, or name "
            "wire.egress_proxy if the vendor is reached through a proxy",
        )
    if isinstance(error, ConnectionRefusedError):
        return Advice(
            cause=f"the port is closed: nobody listens on {endpoint}",
            cure="check the port in the connection's URLs; if it is right, the vendor's service "
            "is not running",
        )
    return Advice(
        cause=f"there is no way to {endpoint} ({type(error).__name__})",
        cure="check the route, and whether IPv4 or IPv6 is what this machine has",
    )


def of_handshake(shown: Handshake, intro: Introduction) -> Advice | None:
    """Why a TLS connection did not come about; `None` when it did."""
    error = shown.problem
    if error is None:
        return None
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(error.verify_code, shown.chain, intro)
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        return of_alert(error.reason or "", intro.words, showed_one=intro.client is not None)
    if isinstance(error, ssl.SSLError) and (error.reason or "") in _NOT_TLS:
        return Advice(
            cause=f"what listens on {intro.endpoint} does not speak TLS",
            cure="check the port in the connection's URLs: it may be the one for plain HTTP",
        )
    if isinstance(error, TimeoutError):
        return Advice(
            cause=f"{intro.endpoint} takes connections, and did not finish the TLS handshake "
            f"within {PATIENCE_S:.0f} s",
            cure="the vendor's server, or a proxy before it, hangs: tell the vendor",
        )
    return of_hang_up(type(error).__name__, intro.words, showed_one=intro.client is not None)


def _of_certificate(code: int, chain: Sequence[CertificateFacts], intro: Introduction) -> Advice:
    """Of a server certificate that we refuse."""
    leaf = chain[0] if chain else None
    if code == EXPIRED:
        ended = [one for one in chain if one.not_after <= intro.now]
        when = f" on {moment(ended[0].not_after)} UTC" if ended else ""
        whose = f" ({subject_of(ended[0])})" if ended else ""
        return Advice(
            cause=f"the server's certificate{whose} has expired{when}; here it is "
            f"{moment(intro.now)} UTC",
            cure="the vendor must renew it, or the clock of this machine is wrong",
        )
    if code == NOT_YET_VALID:
        when = f" before {moment(leaf.not_before)} UTC" if leaf else ""
        return Advice(
            cause=f"the server's certificate is not valid{when}; here it is "
            f"{moment(intro.now)} UTC",
            cure="check the clock of this machine; if it is right, the vendor must wait or "
            "present another",
        )
    if code in OTHER_HOST:
        return _of_other_host(leaf, intro)
    if code in NO_ISSUER:
        return _of_issuer(chain, intro)
    return Advice(
        cause=f"the server's certificate is refused (OpenSSL's code {code})",
        cure="show the vendor this code: `openssl errstr` and x509_vfy.h explain it",
    )


def _of_other_host(leaf: CertificateFacts | None, intro: Introduction) -> Advice:
    names = names_of(leaf) if leaf else []
    stands_for = ", ".join(names) or "no name at all"
    better = f"server_name: {names[0]}" if names else "server_name: the name in the certificate"
    return Advice(
        cause=f"the server's certificate is for another host name: it stands for {stands_for}, "
        f"and {intro.endpoint.expected_name} is expected",
        cure="write the URL with a name of the certificate; where the address must stay, set "
        f"tls.{better}",
    )


def _of_issuer(chain: Sequence[CertificateFacts], intro: Introduction) -> Advice:
    issuer = issuer_of(chain[-1]) if chain else "an authority that it did not name"
    bundle = intro.trust.bundle
    if bundle is None:
        whom = "the system's authorities are trusted, and it is none of them"
        cure = f"name a PEM file with the certificate of {issuer} in tls.trust_bundle_file"
    else:
        whom = f"{bundle} holds {', '.join(intro.trust.authorities[:4]) or 'nothing'}"
        if issuer in intro.trust.authorities:
            whom += ": the same name, with another key"
        cure = f"put the certificate of {issuer} that the vendor uses now into {bundle}, once the "
        cure += "vendor confirms that it is its authority"
    if len(chain) == 1 and chain[0].issuer != chain[0].subject:
        cure += "; or the vendor forgets to send its intermediate certificate, and must do so"
    return Advice(
        cause="the server's certificate is issued by an authority that is not trusted: it ends at "
        f"{issuer}, and {whom}",
        cure=cure,
    )


def _gai_name(error: socket.gaierror) -> str:
    return next(
        (
            name
            for name in dir(socket)
            if name.startswith("EAI_") and getattr(socket, name) == error.errno
        ),
        "unknown",
    )
