"""What broke on the way to a vendor, in our words. The one place that knows aiohttp's exceptions.

Their texts hold URLs, with customers' ids in the query, and bytes of the vendor's: only names of
types, and of OpenSSL's closed lists, come through.
"""

import ssl
from collections.abc import Iterator

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

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
_HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError)

Broken = (aiohttp.ClientError, OSError)
"""What an exchange over sockets raises. `TimeoutError` is an `OSError`."""


def in_our_words(error: Exception) -> LookupFailed:
    """The failure that an exception of `Broken` stands for."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            problem = _CERTIFICATE_PROBLEMS.get(cause.verify_code, f"code {cause.verify_code}")
            return LookupFailed(Reason.TLS, f"the server's certificate is refused: {problem}")
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, _HUNG_UP):
            return LookupFailed(Reason.TLS, f"TLS failed: {cause.reason or 'no reason given'}")
        if isinstance(cause, ContentEncodingError):
            return LookupFailed(Reason.BAD_RESPONSE, "the body does not decompress")
    return LookupFailed(*_reason_and_detail(error))


def _reason_and_detail(error: Exception) -> tuple[Reason, str]:
    kind = type(error).__name__
    match error:
        case aiohttp.ClientHttpProxyError():
            return Reason.UNREACHABLE, f"the egress proxy answered HTTP {error.status}"
        case aiohttp.ClientResponseError() | aiohttp.InvalidURL():
            return Reason.BAD_RESPONSE, f"not HTTP as we know it ({kind})"
        case aiohttp.ServerDisconnectedError():
            return (
                Reason.UNREACHABLE,
                f"the server hung up, as it does on a refused client certificate ({kind})",
            )
        case aiohttp.ClientPayloadError():
            return Reason.UNREACHABLE, f"the reply broke off ({kind})"
        case TimeoutError():
            return Reason.UNREACHABLE, f"no answer in time ({kind})"
        case _:
            return Reason.UNREACHABLE, kind


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and what led to it. A chain of ours is short, whatever it links to."""
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or getattr(error, "os_error", None) or error.__context__
