"""The certificate that the data listener shows, from files that may be replaced meanwhile."""

import hashlib
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509

from proxy.http.addresses import ListenerUnavailable

REMEDY = "write a PEM certificate, its chain after it, and the private key that belongs to it"
CLOCK_TOLERANCE = timedelta(seconds=60)
"""The issuer's clock may be ahead of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    context: ssl.SSLContext
    digest: bytes
    subject: str
    begins: datetime
    ends: datetime


class ServerCertificate:
    """A certificate and its key. A bad pair leaves the last good one.

    Handshakes begin under `context`, which never changes, and are led over to the pair of the
    moment: a live context is poisoned by a certificate that does not fit its key.
    """

    def __init__(self, certificate_file: str, key_file: str) -> None:
        self._files = certificate_file, key_file
        self.problem = ""
        """What is wrong with the files as they are now, for the operator; or empty."""
        self._loaded = self._read()
        self.context = _server_context()
        self.context.sni_callback = self._lead_over

    @property
    def file(self) -> str:
        return self._files[0]

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(Path(one) for one in self._files)

    @property
    def subject(self) -> str:
        return self._loaded.subject

    @property
    def begins(self) -> datetime:
        return self._loaded.begins

    @property
    def ends(self) -> datetime:
        return self._loaded.ends

    def look(self, now: datetime) -> bool:
        """Whether another pair is shown from now on. Reads files, so it belongs in a thread."""
        try:
            if self._digest() == self._loaded.digest:
                self.problem = _dates_problem(self._loaded, now)
                return False
            loaded = self._read()
        except _Unusable as error:
            self.problem = str(error)
            return False
        self.problem = _dates_problem(loaded, now)
        if self.problem and not _dates_problem(self._loaded, now):
            return False
        self._loaded = loaded
        return True

    def _read(self) -> _Loaded:
        digest = self._digest()
        context = _server_context()
        try:
            # The password is given so that OpenSSL never asks for one on a terminal.
            context.load_cert_chain(*self._files, password="")
            leaf = x509.load_pem_x509_certificates(Path(self._files[0]).read_bytes())[0]
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", None) or getattr(error, "strerror", None)
            raise _Unusable(
                f"the certificate or key can't be used ({why or type(error).__name__})"
            ) from error
        if self._digest() != digest:
            raise _Unusable("the certificate or key changed while it was read")
        return _Loaded(
            context=context,
            digest=digest,
            subject=leaf.subject.rfc4514_string(),
            begins=leaf.not_valid_before_utc,
            ends=leaf.not_valid_after_utc,
        )

    def _digest(self) -> bytes:
        digest = hashlib.sha256()
        try:
            for name in self._files:
                digest.update(hashlib.sha256(Path(name).read_bytes()).digest())
        except OSError as error:
            raise _Unusable(f"the certificate or key can't be read ({error.strerror})") from error
        return digest.digest()

    def _lead_over(
        self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext
    ) -> None:
        """Called at each handshake, whether or not the client names a server."""
        connection.context = self._loaded.context


class _Unusable(Exception):  # noqa: N818  (says why, in words for the operator)
    pass


def opened(certificate_file: str, key_file: str, *, where: str) -> ServerCertificate:
    """Reads files, so it belongs in a thread. Raises `ListenerUnavailable`."""
    try:
        return ServerCertificate(certificate_file, key_file)
    except _Unusable as error:
        raise ListenerUnavailable(f"{where}: {error}: {certificate_file}, {key_file}") from error


def _dates_problem(loaded: _Loaded, now: datetime) -> str:
    if now >= loaded.ends:
        return f"the certificate ended on {loaded.ends:%Y-%m-%d %H:%M} UTC"
    if now < loaded.begins - CLOCK_TOLERANCE:
        return f"the certificate begins on {loaded.begins:%Y-%m-%d %H:%M} UTC only"
    return ""


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
