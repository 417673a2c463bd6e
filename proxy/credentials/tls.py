"""From mounted files to a TLS context: who we are, and whom we trust.

Each read makes a fresh context. A live one keeps a CA that was removed, and is poisoned by a
certificate that does not fit its key.
"""

import ssl
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from adapters.outcome import LookupFailed, Reason
from config.settings import ClientTls
from proxy.credentials.files import read_bytes


def client_context(tls: ClientTls | None) -> tuple[ssl.SSLContext, datetime | None]:
    """A context, and when its client certificate ends (`None` without one). Reads files.

    Raises `LookupFailed(tls)` with the file and what is wrong with it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks host names, demands certificates
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if tls and tls.trust_bundle_file:
        _trust(context, tls.trust_bundle_file)
    else:
        context.load_default_certs()
    if not tls or not tls.certificate_file:
        return context, None
    key_file = tls.key_file or tls.certificate_file
    return context, _present(context, tls.certificate_file, key_file)


def _trust(context: ssl.SSLContext, path: str) -> None:
    """As DER, for a PEM file may hold comments in any encoding."""
    authorities = _certificates(path, "trust bundle")
    context.load_verify_locations(
        cadata=b"".join(one.public_bytes(Encoding.DER) for one in authorities)
    )


def _present(context: ssl.SSLContext, certificate_file: str, key_file: str) -> datetime:
    leaf = _certificates(certificate_file, "client certificate")[0]
    before = _contents(certificate_file, key_file)
    if _key_of(key_file) != leaf.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    ):
        raise _unusable(key_file, "does not belong to the client certificate")
    try:
        # The password is given so that OpenSSL never asks for one on a terminal.
        context.load_cert_chain(certificate_file, key_file, password="")
    except (OSError, ValueError) as error:
        problem = getattr(error, "reason", None) or type(error).__name__
    else:
        if _contents(certificate_file, key_file) != before:
            raise _unusable(key_file, "or its certificate changed while it was read")
        return leaf.not_valid_after_utc
    raise _unusable(key_file, f"or its certificate is refused by OpenSSL: {problem}")


def _contents(certificate_file: str, key_file: str) -> tuple[bytes, bytes]:
    return (
        read_bytes(certificate_file, "client certificate", Reason.TLS),
        read_bytes(key_file, "client key", Reason.TLS),
    )


def _certificates(path: str, what: str) -> list[x509.Certificate]:
    content = read_bytes(path, what, Reason.TLS)
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError:
        pass
    raise LookupFailed(Reason.TLS, f"the {what} {path} is not a PEM certificate")


def _key_of(path: str) -> bytes:
    """The public half of a private key."""
    content = read_bytes(path, "client key", Reason.TLS)
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError:
        problem = "is encrypted; mount it without a passphrase"
    except (ValueError, UnsupportedAlgorithm):
        problem = "is not a PEM private key"
    else:
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    raise _unusable(path, problem)


def _unusable(key_file: str, problem: str) -> LookupFailed:
    return LookupFailed(Reason.TLS, f"the client key {key_file} {problem}")
