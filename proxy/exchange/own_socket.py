"""A socket that closes its descriptor only while that is still its own.

A connection is made on a socket of Python's and then handed to the event loop. Where the other side
resets it in that moment, uvloop (0.23) closes the descriptor and the socket object never hears of
it: it would close the same number again later, by then somebody else's connection. libuv aborts the
whole process when it comes upon such a descriptor.
"""

import os
import socket
from typing import Any, TypeAlias

AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
"""As `socket.getaddrinfo` gives them."""


class OwnSocket(socket.socket):
    """For a connector's `socket_factory`."""

    _inode: int | None = None

    @classmethod
    def of(cls, address: AddressInfo) -> "OwnSocket":
        family, kind, protocol, *_ = address
        made = cls(family, kind, protocol)
        made._inode = os.fstat(made.fileno()).st_ino
        return made

    def close(self) -> None:
        self._let_go_of_anothers()
        super().close()

    def __del__(self) -> None:
        self._let_go_of_anothers()

    def _let_go_of_anothers(self) -> None:
        if self.fileno() >= 0 and _inode_of(self.fileno()) != self._inode:
            self.detach()


def _inode_of(descriptor: int) -> int | None:
    """What is open under the number; `None`: nothing."""
    try:
        return os.fstat(descriptor).st_ino
    except OSError:
        return None
