"""Throwaway certificates: an authority, and the server and client leaves that it issues.

For demos and tests only. `certs-example/README.md` says what real ones need.
"""

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KeyKind: TypeAlias = Literal["ec", "rsa"]
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
DEMO_CLIENT = "bss-sidecar"
"""Common name of the client certificate that `write_demo_certificates` makes."""
DEMO_FILES = ("client.key", "server.key", "client.pem", "server.pem", "ca.pem")
"""All that `write_demo_certificates` writes into its folder, over what is there."""
AUTHORITY_LIFE = timedelta(days=365)
LEAF_LIFE = timedelta(days=30)
BACKDATED = timedelta(minutes=5)
"""A leaf is valid a little before it is issued, because clocks differ."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate, the intermediates above it, and its private key."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    """Certificates between this one and the root, without the root."""
    key: PrivateKey = field(repr=False)

    @property
    def serial(self) -> int:
        return self.certificate.serial_number

    def certificate_pem(self) -> bytes:
        """The certificate and its chain, in the order that TLS sends them."""
        return b"".join(_pem(one) for one in (self.certificate, *self.chain))

    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def write(self, folder: Path, name: str) -> "LeafFiles":
        """Writes `<name>.pem` and, readable by its owner alone, `<name>.key`."""
        files = LeafFiles(folder / f"{name}.pem", folder / f"{name}.key")
        write_public(files.certificate_file, self.certificate_pem())
        write_private(files.key_file, self.key_pem())
        return files


@dataclass(frozen=True, slots=True)
class LeafFiles:
    """Where a leaf was written."""

    certificate_file: Path
    key_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """From when to when a certificate holds."""

    not_before: datetime
    not_after: datetime

    @classmethod
    def of(cls, now: datetime, life: timedelta) -> "Validity":
        return cls(not_before=now - BACKDATED, not_after=now + life)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority that lives as long as this object does."""

    root: x509.Certificate
    issuer: Issued
    """Signs the leaves: the root itself, or an intermediate below it."""
    now: datetime

    @classmethod
    def create(
        cls,
        name: str = "Throwaway CA",
        *,
        now: datetime,
        intermediate: bool = False,
        key: KeyKind = "ec",
    ) -> "Authority":
        root_key = new_key(key)
        validity = Validity.of(now, AUTHORITY_LIFE)
        root_name = _name(name)
        root = _authority(root_name, root_key, validity).issuer_name(root_name)
        signed = root.sign(root_key, hashes.SHA256())
        issuer = Issued(signed, (), root_key)
        if intermediate:
            below_key = new_key(key)
            below = _authority(_name(f"{name} intermediate"), below_key, validity)
            named = below.issuer_name(root_name).add_extension(_issued_by(root_key), critical=False)
            certificate = named.sign(root_key, hashes.SHA256())
            issuer = Issued(certificate, (certificate,), below_key)
        return cls(signed, issuer, now)

    def trust_bundle(self) -> bytes:
        """PEM of the root: what the other side trusts."""
        return _pem(self.root)

    def issue_server(
        self,
        names: Sequence[str] = LOOPBACK_NAMES,
        *,
        validity: Validity | None = None,
        key: KeyKind = "ec",
    ) -> Issued:
        """A leaf for a server of these DNS names and IP addresses."""
        return self._issue(names[0], names, ExtendedKeyUsageOID.SERVER_AUTH, validity, key)

    def issue_client(
        self, name: str, *, validity: Validity | None = None, key: KeyKind = "ec"
    ) -> Issued:
        """A leaf for a client, whose common name and DNS name are `name`."""
        return self._issue(name, (name,), ExtendedKeyUsageOID.CLIENT_AUTH, validity, key)

    def write(self, folder: Path) -> Path:
        """Writes the trust bundle, `ca.pem`. The authority's own key is never written."""
        path = folder / "ca.pem"
        write_public(path, self.trust_bundle())
        return path

    def _issue(
        self,
        common_name: str,
        names: Sequence[str],
        usage: x509.ObjectIdentifier,
        validity: Validity | None,
        key: KeyKind,
    ) -> Issued:
        leaf_key = new_key(key)
        certificate = (
            _builder(_name(common_name), leaf_key, validity or Validity.of(self.now, LEAF_LIFE))
            .issuer_name(self.issuer.certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([_general_name(name) for name in names]),
                critical=False,
            )
            .add_extension(_issued_by(self.issuer.key), critical=False)
            .sign(self.issuer.key, hashes.SHA256())
        )
        return Issued(certificate, self.issuer.chain, leaf_key)


def standing_in_the_way(folder: Path) -> str | None:
    """Why certificates should not be made in a folder, and what to do; `None`: nothing is there.

    Keys that somebody uses would be gone for good.
    """
    for name in DEMO_FILES:
        if os.path.lexists(folder / name):
            return (
                f"{folder / name} exists; name another folder, or remove it "
                "(--force writes over everything)"
            )
    return None


def write_demo_certificates(
    folder: Path, *, now: datetime, names: Sequence[str] = LOOPBACK_NAMES
) -> Authority:
    """Writes what one demo needs: `ca.pem`, `server.pem` + `.key`, `client.pem` + `.key`.

    The authority can issue more, for as long as somebody holds it.
    """
    authority = Authority.create("Throwaway demo CA", now=now)
    authority.write(folder)
    authority.issue_server(names).write(folder, "server")
    authority.issue_client(DEMO_CLIENT).write(folder, "client")
    return authority


def new_key(kind: KeyKind = "ec") -> PrivateKey:
    """EC P-256 by default: small, quick, and understood by everybody."""
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def write_public(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)


def write_private(path: Path, text: bytes) -> None:
    """Writes a secret so that at no moment anybody but its owner can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: x509.Name, key: PrivateKey, validity: Validity) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _authority(subject: x509.Name, key: PrivateKey, validity: Validity) -> x509.CertificateBuilder:
    return (
        _builder(subject, key, validity)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    )


def _issued_by(key: PrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
