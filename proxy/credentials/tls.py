"""From judged files to a TLS context: who we are, and whom we trust.

Each version makes a fresh context. A live one keeps a CA that was removed, and is poisoned by a
certificate that does not fit its key.
"""

import ssl
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from proxy.credentials.files import RawFile, RawSet, read_file


class Unfit(Exception):  # noqa: N818  (what is unfit is the file)
    """OpenSSL does not take a file, and why."""

    def __init__(self, file: RawFile, what: str, *, changed: bool = False) -> None:
        super().__init__(what)
        self.file = file
        self.what = what
        self.changed = changed
        """Whether it is another file by now, so that a later look may find it good."""


HTTP = ("http/1.1",)
"""What is spoken over TLS (ALPN), by those who speak HTTP."""


def client_context(files: RawSet, protocols: Sequence[str] = HTTP) -> ssl.SSLContext:
    """A context from files that were found good. Blocks for 2 to 80 ms. Raises `Unfit`.

    `protocols`: those to choose from (ALPN); none: nothing is said about it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks host names, demands certificates
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if files.trust_bundle is not None:
        _trust(context, files.trust_bundle)
    else:
        context.load_default_certs()
    if files.certificate is not None and files.key is not None:
        _present(context, files.certificate, files.key)
    return context


def _trust(context: ssl.SSLContext, bundle: RawFile) -> None:
    """As DER, for a PEM file may hold comments in any encoding."""
    authorities = x509.load_pem_x509_certificates(bundle.content)
    try:
        context.load_verify_locations(
            cadata=b"".join(one.public_bytes(Encoding.DER) for one in authorities)
        )
    except ssl.SSLError as error:
        raise Unfit(bundle, _refusal(error)) from None


def _present(context: ssl.SSLContext, certificate: RawFile, key: RawFile) -> None:
    """OpenSSL reads the files by itself, so they must still be what was judged afterwards."""
    problem = ""
    try:
        # The password is given so that OpenSSL never asks for one on a terminal.
        context.load_cert_chain(certificate.path, key.path, password="")
    except (OSError, ValueError) as error:
        problem = _refusal(error)
    if any(read_file(one.path, one.role) != one for one in (certificate, key)):
        raise Unfit(key, "or its certificate changed while it was read", changed=True)
    if problem:
        raise Unfit(key, f"or its certificate {problem}")


def _refusal(error: Exception) -> str:
    return f"is refused by OpenSSL: {getattr(error, 'reason', None) or type(error).__name__}"
