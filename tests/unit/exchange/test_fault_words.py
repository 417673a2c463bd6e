"""What broke on the way to a vendor is told apart by what really broke."""

import ssl

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from adapters.outcome import Reason
from proxy.exchange.faults import in_our_words


def connecting_after(step: BaseException, error: OSError) -> aiohttp.ClientConnectorError:
    """What aiohttp raises when asyncio meets an error while a handshake does this step."""
    key = ConnectionKey("vendor.example", 443, True, True, None, None, None)
    try:
        try:
            raise step
        except ssl.SSLError:
            raise error  # noqa: B904  (as asyncio's transports do)
    except OSError as met:
        failed = aiohttp.ClientConnectorError(key, met)
        failed.__cause__ = met
        return failed


def handshake_error(heard: bytes = b"") -> ssl.SSLError:
    """Of a client that has heard so much."""
    heard_so_far = ssl.MemoryBIO()
    heard_so_far.write(heard)
    client = ssl.create_default_context().wrap_bio(
        heard_so_far, ssl.MemoryBIO(), server_hostname="vendor.example"
    )
    with pytest.raises(ssl.SSLError) as met:
        client.do_handshake()
    return met.value


def waiting() -> ssl.SSLError:
    error = handshake_error()
    assert isinstance(error, ssl.SSLWantReadError)
    return error


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), BrokenPipeError(32, "pipe")])
def test_a_reset_while_a_handshake_waits_is_no_matter_of_tls(error: OSError) -> None:
    failure = in_our_words(connecting_after(waiting(), error))
    assert failure.reason is Reason.UNREACHABLE
    assert not failure.lasting


def test_a_handshake_that_is_refused_is_a_matter_of_tls() -> None:
    garbage = handshake_error(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert in_our_words(connecting_after(waiting(), garbage)).reason is Reason.TLS
