"""A descriptor that was closed behind a socket's back belongs to whoever got its number."""

import os
import socket
from collections.abc import Iterator

import pytest

from proxy.exchange.own_socket import AddressInfo, OwnSocket

LOOPBACK: AddressInfo = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))


@pytest.fixture
def robbed() -> Iterator[tuple[list[OwnSocket], socket.socket]]:
    """A socket whose descriptor somebody closed, and another that got its number."""
    sockets = [OwnSocket.of(LOOPBACK)]
    number = sockets[0].fileno()
    os.close(number)
    with socket.socket() as other:
        assert other.fileno() == number
        yield sockets, other


def test_it_closes_what_is_its_own() -> None:
    one = OwnSocket.of(LOOPBACK)
    number = one.fileno()
    one.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_closing_it_leaves_open_what_is_anothers(
    robbed: tuple[list[OwnSocket], socket.socket],
) -> None:
    sockets, other = robbed
    sockets[0].close()
    assert sockets[0].fileno() == -1
    os.fstat(other.fileno())


def test_forgetting_it_leaves_open_what_is_anothers(
    robbed: tuple[list[OwnSocket], socket.socket],
) -> None:
    sockets, other = robbed
    sockets.clear()
    os.fstat(other.fileno())


def test_what_nobody_has_any_more_is_let_go_in_silence() -> None:
    one = OwnSocket.of(LOOPBACK)
    os.close(one.fileno())
    one.close()
    assert one.fileno() == -1
