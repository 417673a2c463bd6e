"""What a certificate says, as plain facts for people and metrics. No key is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

E = TypeVar("E", bound=x509.ExtensionType)

CLIENT_AUTH = "clientAuth"
SERVER_AUTH = "serverAuth"
ANY_USAGE = "anyExtendedKeyUsage"

_USAGES = {
    ExtendedKeyUsageOID.CLIENT_AUTH: CLIENT_AUTH,
    ExtendedKeyUsageOID.SERVER_AUTH: SERVER_AUTH,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: ANY_USAGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """One certificate. Names are as RFC 4514 writes them."""

    subject: str
    names: tuple[str, ...]
    """Subject alternative names: DNS names, IP addresses, URIs."""
    issuer: str
    serial: int
    not_before: datetime
    not_after: datetime
    usages: tuple[str, ...] | None
    """Extended key usage, by name or OID; `None`: the certificate does not restrict it."""
    is_authority: bool
    key: str
    """Kind and size of its key, as `EC secp256r1` or `RSA 2048`."""

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "CertificateFacts":
        """Raises `ValueError` or `TypeError` where names or dates cannot be read."""
        return cls(
            subject=certificate.subject.rfc4514_string(),
            names=_names(certificate),
            issuer=certificate.issuer.rfc4514_string(),
            serial=certificate.serial_number,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            usages=_usages(certificate),
            is_authority=_is_authority(certificate),
            key=_key(certificate),
        )

    def share_left(self, now: datetime) -> float:
        """Share of its lifetime that is left: 1 at its beginning, 0 from its end on."""
        lifetime = (self.not_after - self.not_before).total_seconds()
        left = (self.not_after - now).total_seconds()
        return min(1.0, max(0.0, left / lifetime)) if lifetime > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Every certificate of one version of the credentials."""

    client: tuple[CertificateFacts, ...] = ()
    """The client certificate, then its chain; empty: there is none."""
    trusted: tuple[CertificateFacts, ...] = ()
    """The trust bundle; empty: the system's is trusted."""


NO_CERTIFICATES = Certificates()


def parse_certificates(content: bytes) -> Sequence[x509.Certificate] | str:
    """The certificates of a PEM file, or what is wrong with it.

    The parser leaves out a block that has no end; that is a file half written.
    """
    try:
        certificates = x509.load_pem_x509_certificates(content)
    except (ValueError, x509.InvalidVersion):
        return "is not a PEM certificate"
    begun = content.count(b"-----BEGIN CERTIFICATE-----")
    return certificates if len(certificates) >= begun else "is cut short"


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    found = _extension(certificate, x509.SubjectAlternativeName)
    kinds = x509.DNSName | x509.IPAddress | x509.UniformResourceIdentifier
    return tuple(str(name.value) for name in found or () if isinstance(name, kinds))


def _usages(certificate: x509.Certificate) -> tuple[str, ...] | None:
    found = _extension(certificate, x509.ExtendedKeyUsage)
    if found is None:
        return None
    return tuple(_USAGES.get(usage, usage.dotted_string) for usage in found)


def _is_authority(certificate: x509.Certificate) -> bool:
    found = _extension(certificate, x509.BasicConstraints)
    return found is not None and found.ca


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """`None` also where it cannot be read: whether that matters is for OpenSSL to say."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
        ValueError,
    ):
        return None


def _key(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "unknown"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey")
