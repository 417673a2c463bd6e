"""Where a listener listens: TCP sockets, or the file of a unix socket."""

import errno
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from config.addresses import bracketed

UNIX_MODE = 0o660
"""Of processes on one machine, those of our user and group may connect."""
UNIX_MODE_ANY_USER = 0o666
"""A pod's containers seldom share a user or group; who may connect is who mounts the folder."""


class ListenerUnavailable(Exception):  # noqa: N818  (an address that can't be had)
    """Why a listener can't be opened, in words for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address to listen on."""

    host: str = "127.0.0.1"
    port: int = 0
    unix_socket: str | None = None
    """Instead of `host` and `port`."""
    unix_mode: int = UNIX_MODE
    """Permissions of the unix socket."""
    certificate_file: str | None = None
    """With `key_file`: speak TLS."""
    key_file: str | None = None

    def __str__(self) -> str:
        if self.unix_socket is not None:
            return f"unix:{self.unix_socket}"
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"

    @property
    def scheme(self) -> str:
        return "http" if self.certificate_file is None else "https"


def bind(address: Address) -> list[socket.socket]:
    """Sockets listening at an address: several for a name with several addresses. All or none.

    Raises `ListenerUnavailable`.
    """
    if address.unix_socket is not None:
        return [_bind_unix(Path(address.unix_socket), address.unix_mode)]
    bound: list[socket.socket] = []
    port = address.port
    try:
        for family, _, _, _, where in socket.getaddrinfo(
            address.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            one = _bind_tcp(socket.AddressFamily(family), (where[0], port, *where[2:]))
            if one is not None:
                bound.append(one)
                # A free port, once taken, is the port of all addresses of the name.
                port = one.getsockname()[1]
    except (OSError, UnicodeError) as error:
        for one in bound:
            one.close()
        why = getattr(error, "strerror", None) or type(error).__name__
        raise ListenerUnavailable(f"{address}: {why}") from error
    if not bound:
        raise ListenerUnavailable(f"{address}: {os.strerror(errno.EADDRNOTAVAIL)}")
    return bound


def socket_file(path: str) -> tuple[Path, int]:
    """The file of a unix socket, and its inode, by which it is known again."""
    return Path(path), Path(path).lstat().st_ino


def unlink(path: Path, inode: int) -> None:
    """Removes the file of a unix socket, unless another one stands there by now.

    One that can't be removed is a dead socket, which the next one to bind there replaces.
    """
    with suppress(OSError):
        if path.lstat().st_ino == inode:
            path.unlink()


def _bind_tcp(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket | None:
    """`None`: this machine has no such address, as with `localhost` where IPv6 is off."""
    try:
        one = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            return None
        raise
    try:
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        # Two sockets may be bound with SO_REUSEADDR to one port as long as neither listens, so
        # that the port is really ours is only known now.
        one.listen(128)
    except OSError as error:
        one.close()
        if error.errno == errno.EADDRNOTAVAIL:
            return None
        raise
    return one


def _bind_unix(path: Path, mode: int) -> socket.socket:
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        one.setblocking(False)
        _remove_stale(path)
        one.bind(str(path))
        # Nobody can connect before it listens, so nobody slips in before the mode is set.
        path.chmod(mode)
        one.listen(128)
    except OSError as error:
        one.close()
        raise ListenerUnavailable(f"unix:{path}: {error.strerror or error}") from error
    except ListenerUnavailable:
        one.close()
        raise
    return one


def _remove_stale(path: Path) -> None:
    """Removes the socket that a killed process left behind, and nothing else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenerUnavailable(f"unix:{path}: there is a file that is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
        knock.setblocking(False)
        refused = knock.connect_ex(str(path))
    if refused not in {errno.ECONNREFUSED, errno.ENOENT}:
        raise ListenerUnavailable(f"unix:{path}: another process listens there")
    path.unlink(missing_ok=True)
