"""The listening socket of a vendor, which can also refuse, or accept and stay silent."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import TypeAlias, cast

from adapters.simulator.faults import Listening

ProtocolFactory: TypeAlias = Callable[[], asyncio.BaseProtocol]

_BACKLOG = 1_024


class Door:
    """One address. Its port stays ours for as long as the door exists, whatever it does."""

    def __init__(self, host: str, port: int, speak: ProtocolFactory) -> None:
        self._host = host
        self._speak = speak
        self._socket = self._bind(port)
        self._server: asyncio.Server | None = None
        self._silent: set[asyncio.Transport] = set()
        self.listening: Listening | None = None
        """What it does; `None` before the first turn."""
        self.port: int = self._socket.getsockname()[1]

    async def turn(self, listening: Listening, tls: ssl.SSLContext | None) -> None:
        """From now on do this. Connections that were taken in silence are dropped."""
        self.listening = listening
        self._stop()
        fresh = self._bind(self.port)
        self._socket.close()
        self._socket = fresh
        if listening == "refusing":
            return  # bound, so that nobody else gets the port, and not listening
        loop = asyncio.get_running_loop()
        speak = self._speak if listening == "serving" else self._stay_silent
        self._server = await loop.create_server(
            speak, sock=fresh, ssl=tls if listening == "serving" else None, backlog=_BACKLOG
        )

    def close(self) -> None:
        self._stop()
        self._socket.close()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in self._silent.copy():
            transport.abort()

    def _bind(self, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            bound.bind((self._host, port))
        except OSError:
            bound.close()
            raise
        bound.setblocking(False)
        return bound

    def _stay_silent(self) -> asyncio.BaseProtocol:
        return _Silence(self._silent)


class _Silence(asyncio.Protocol):
    """Takes what comes, and says nothing."""

    def __init__(self, silent: set[asyncio.Transport]) -> None:
        self._silent = silent
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._silent.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._silent.discard(self._transport)


def reset(transport: asyncio.Transport | None) -> None:
    """Ends a connection with RST, so that the other side sees no orderly end."""
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError, ValueError):  # uvloop's, of one that is closed
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
