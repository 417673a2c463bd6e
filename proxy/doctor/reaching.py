"""From a URL's host to a TLS connection: name, TCP, handshake, and what the server shows of itself.

Everything here ends in time. The client certificate is shown only to a server that was verified;
of one that was not, the certificate is looked at over a second connection, without ours.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from cryptography import x509

from config.addresses import bracketed
from proxy.credentials.certificates import CertificateFacts

PATIENCE_S = 5.0
"""For each step. More than a sidecar has, so that what is slow and what is dead look different."""
REFUSAL_S = 0.3
REFUSAL_HANDSHAKES = 3.0
"""Under TLS 1.3 a server refuses a client certificate after the handshake. It is given this long
for it, in seconds or in times that the handshake took, whichever is more."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server of a connection."""

    host: str
    port: int
    is_https: bool
    server_name: str | None = None
    """Host name expected in its certificate, where it is not `host`."""

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def expected_name(self) -> str:
        return self.server_name or self.host


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a server showed, and how it ended if it ended badly."""

    version: str = ""
    cipher: str = ""
    chain: tuple[CertificateFacts, ...] = ()
    """The server's certificate, and those that it sent with it as far as Python shows them."""
    problem: Exception | None = None


def endpoint_of(url: str, server_name: str | None = None) -> Endpoint:
    parts = urlsplit(url)
    is_https = parts.scheme == "https"
    return Endpoint(
        parts.hostname or "", parts.port or (443 if is_https else 80), is_https, server_name
    )


async def addresses_of(endpoint: Endpoint) -> list[str]:
    """What its name resolves to. Raises `OSError`, of which `TimeoutError` is one."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty, or longer than DNS has them
        raise socket.gaierror(socket.EAI_NONAME, "no name") from error
    return list(dict.fromkeys(str(one[4][0]) for one in found))


async def connects(endpoint: Endpoint) -> float:
    """Seconds that a TCP connection took. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with _tcp(endpoint):
        return loop.time() - began


async def shakes_hands(endpoint: Endpoint, context: ssl.SSLContext) -> Handshake:
    """What the server showed, and whether it lets us in. Never raises for what others do."""
    shown = await _shake_hands(endpoint, context)
    if isinstance(shown.problem, ssl.SSLCertVerificationError):
        unverified = await _shake_hands(endpoint, _unverifying())
        return replace(unverified, problem=shown.problem)
    return shown


async def _shake_hands(endpoint: Endpoint, context: ssl.SSLContext) -> Handshake:
    clock = asyncio.get_running_loop().time
    shown = Handshake()
    try:
        async with asyncio.timeout(PATIENCE_S), _tcp(endpoint) as (reader, writer):
            began = clock()
            await writer.start_tls(context, server_hostname=endpoint.expected_name)
            shown = _shown(writer.get_extra_info("ssl_object"))
            took_s = clock() - began
            await _wait_for_refusal(reader, max(REFUSAL_S, REFUSAL_HANDSHAKES * took_s))
    except OSError as error:
        return replace(shown, problem=error)
    return shown


async def _wait_for_refusal(reader: asyncio.StreamReader, within_s: float) -> None:
    """Raises what a server says that hangs up on us without having been asked anything."""
    try:
        async with asyncio.timeout(within_s):
            word = await reader.read(1)
    except TimeoutError:
        return
    if not word:
        raise ConnectionResetError("it hung up after the handshake")


def _shown(tls: ssl.SSLObject) -> Handshake:
    cipher = tls.cipher()
    return Handshake(tls.version() or "", cipher[0] if cipher else "", tuple(_chain(tls)))


def _chain(tls: ssl.SSLObject) -> Iterator[CertificateFacts]:
    """Certificates that can't be parsed are left out."""
    leaf = tls.getpeercert(binary_form=True)
    for der in _sent(tls) or ([leaf] if leaf else []):
        try:
            yield CertificateFacts.of(x509.load_der_x509_certificate(der))
        except ValueError:
            continue


def _sent(tls: ssl.SSLObject) -> list[bytes]:
    """All that the server sent: public since Python 3.13, and there, half hidden, before."""
    if public := getattr(tls, "get_unverified_chain", None):
        return list(public())
    hidden = getattr(getattr(tls, "_sslobj", None), "get_unverified_chain", None)
    as_der = 2  # `_ssl.ENCODING_DER`
    return [one.public_bytes(as_der) for one in (hidden() if hidden else None) or ()]


def _unverifying() -> ssl.SSLContext:
    """For looking at a certificate that is refused. Nothing of ours is ever sent under it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@asynccontextmanager
async def _tcp(
    endpoint: Endpoint,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
