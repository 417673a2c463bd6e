"""A listening socket that can also refuse, or be so full that nobody gets in.

Its address stays ours for as long as the door exists, whatever it does.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal, TypeAlias

Listening: TypeAlias = Literal["serving", "refusing", "full"]
Address: TypeAlias = tuple[str, int] | Path
"""A TCP address, or a unix socket's path."""
Accept: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None] | None]

_BACKLOG = 1_024
_FILLERS = 4
"""Connections that fill a backlog of 0; Linux lets in one more than it says."""


class Door:
    def __init__(self, address: Address, accept: Accept) -> None:
        self._accept = accept
        self._socket = bound(address)
        self.address: Address = address
        if not isinstance(address, Path):
            self.address = address[0], self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._fillers: list[socket.socket] = []

    async def turn(self, listening: Listening) -> None:
        """From now on do this. Whoever waits to be accepted is reset."""
        self._stop()
        if isinstance(self.address, Path):
            self._socket.close()
            self._socket = bound(self.address)
        else:  # the new one is there before the old one goes, so that nobody gets the port
            fresh = bound(self.address)
            self._socket.close()
            self._socket = fresh
        if listening == "serving":
            self._server = await self._serving()
        elif listening == "full":
            self._socket.listen(0)
            self._fill()

    def close(self) -> None:
        self._stop()
        self._socket.close()

    async def _serving(self) -> asyncio.Server:
        if isinstance(self.address, Path):
            return await asyncio.start_unix_server(
                self._accept, sock=self._socket, backlog=_BACKLOG
            )
        return await asyncio.start_server(self._accept, sock=self._socket, backlog=_BACKLOG)

    def _stop(self) -> None:
        for one in self._fillers:
            one.close()
        self._fillers.clear()
        if self._server is not None:
            self._server.close()
            self._server = None

    def _fill(self) -> None:
        """Nobody accepts these, so the kernel drops the SYN of everybody who comes later."""
        for _ in range(_FILLERS):
            filler = socket.socket(self._socket.family, socket.SOCK_STREAM)
            filler.setblocking(False)
            self._fillers.append(filler)
            with contextlib.suppress(BlockingIOError):
                filler.connect(self._socket.getsockname())


def bound(address: Address) -> socket.socket:
    """A socket at the address, which does not listen yet."""
    if isinstance(address, Path):
        address.unlink(missing_ok=True)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        where: str | tuple[str, int] = str(address)
    else:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        where = address
    try:
        made.bind(where)
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return made
