"""The vendor's side of mutual TLS."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class VendorTls:
    """The vendor's own certificate and key, and the CA whose clients it lets in."""

    certificate_file: Path
    key_file: Path
    trust_bundle_file: Path

    @classmethod
    def in_folder(cls, folder: Path) -> "VendorTls":
        """As `write_demo_certificates` lays them out."""
        return cls(folder / "server.pem", folder / "server.key", folder / "ca.pem")

    def context(self) -> ssl.SSLContext:
        """Demands a client certificate; TLS 1.2 at least."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate_file, self.key_file)
        context.load_verify_locations(self.trust_bundle_file)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """What the vendor notes of a client's certificate."""

    serial: int
    common_name: str | None

    @classmethod
    def of(cls, peer: Mapping[str, Any] | None) -> "PeerCertificate | None":
        """From what `ssl.SSLSocket.getpeercert` gives."""
        if not peer:
            return None
        subject = dict(pair for group in peer["subject"] for pair in group)
        return cls(int(peer["serialNumber"], 16), subject.get("commonName"))
