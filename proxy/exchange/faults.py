"""What broke on the way to a vendor, in our words. The one place that knows aiohttp's exceptions.

Their texts hold URLs, with customers' ids in the query, and bytes of the vendor's: only names of
types, and of OpenSSL's closed lists, come through.
"""

import ssl
from collections.abc import Iterator, Sequence

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError

from adapters.outcome import LookupFailed, Reason

_CERTIFICATE_PROBLEMS = {  # X509_V_ERR_* of OpenSSL's x509_vfy.h
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed",
    19: "its root is not trusted",
    20: "its issuer is not trusted",
    21: "its issuer is not trusted",
    62: "it is for another host name",
    64: "it is for another address",
}
_WORDS: Sequence[tuple[type[Exception], tuple[Reason, str]]] = (  # narrow kinds first
    (aiohttp.ClientHttpProxyError, (Reason.UNREACHABLE, "the egress proxy refused")),
    (HttpProcessingError, (Reason.BAD_RESPONSE, "the reply is not HTTP")),
    (aiohttp.ClientResponseError, (Reason.BAD_RESPONSE, "the reply is not HTTP")),
    (aiohttp.InvalidURL, (Reason.CONFIGURATION, "a URL that is none")),
    (aiohttp.ClientSSLError, (Reason.TLS, "TLS failed")),
    (aiohttp.ClientPayloadError, (Reason.UNREACHABLE, "the reply broke off")),
    (
        aiohttp.ServerDisconnectedError,
        (Reason.UNREACHABLE, "the server hung up, as it does on a refused client certificate"),
    ),
    (TimeoutError, (Reason.UNREACHABLE, "no answer in time")),
)
_NO_CONNECTION = (Reason.UNREACHABLE, "no connection")
_HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
_STEPS = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""A handshake that waits for the other side raises these; they are the context of what ends it."""

Broken = (aiohttp.ClientError, HttpProcessingError, OSError)
"""What an exchange over sockets raises. `TimeoutError` is an `OSError`."""


def in_our_words(error: Exception) -> LookupFailed:
    """The failure that an exception of `Broken` stands for."""
    for cause in _causes(error):
        if isinstance(cause, aiohttp.ClientError):
            continue  # some look like an `ssl.SSLError` and have none of its attributes
        if isinstance(cause, ssl.SSLCertVerificationError):
            problem = _CERTIFICATE_PROBLEMS.get(cause.verify_code, f"code {cause.verify_code}")
            return LookupFailed(Reason.TLS, f"the server's certificate is refused: {problem}")
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, (*_HUNG_UP, *_STEPS)):
            return LookupFailed(Reason.TLS, f"TLS failed: {cause.reason or 'no reason given'}")
        if isinstance(cause, ContentEncodingError):
            return LookupFailed(Reason.BAD_RESPONSE, "the body does not decompress")
    reason, words = next((to for kind, to in _WORDS if isinstance(error, kind)), _NO_CONNECTION)
    return LookupFailed(reason, f"{words} ({type(error).__name__})")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and what led to it. A chain of ours is short, whatever it links to."""
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or getattr(error, "os_error", None) or error.__context__
