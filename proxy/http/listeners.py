"""A door at its address: sockets, TLS, HTTP framing, and the way they open and close."""

import asyncio
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, cast

from aiohttp import HttpVersion10, HttpVersion11, web

from proxy.http import certificate
from proxy.http.addresses import Address, bind, socket_file, unlink
from proxy.http.caller import Caller, Patience
from proxy.http.certificate import ServerCertificate
from proxy.http.door import Door
from proxy.http.gate import Gate

PATIENCE: Final = Patience()
TOO_MANY: Final = "too-many-callers"
_VERSIONS = frozenset({HttpVersion10, HttpVersion11})
_AT_ONCE_S = 0.05
"""aiohttp takes 0 for "for ever"."""


class Listener:
    """One door, open at one address."""

    def __init__(
        self, door: Door, address: Address, gate: Gate, patience: Patience = PATIENCE
    ) -> None:
        self.door = door
        self.address = address
        """As configured."""
        self.bound = address
        """As taken: port 0 has become a number."""
        self.gate = gate
        """May be replaced while the listener is open: each request meets the gate of its time."""
        self.certificate: ServerCertificate | None = None
        """What it shows, once it is open, if it speaks TLS."""
        self._server = web.Server(self._answer, handler_cancellation=True)
        self._patience = patience
        self._accepting: list[asyncio.Server] = []
        self._socket_file: tuple[Path, int] | None = None

    async def open(self) -> None:
        """Binds and listens. Raises `ListenerUnavailable`, having taken nothing."""
        self.certificate = await asyncio.to_thread(_certificate, self.address)
        tls: dict[str, Any] = (
            {"ssl": self.certificate.context, "ssl_handshake_timeout": self._patience.head_s}
            if self.certificate
            else {}
        )
        loop = asyncio.get_running_loop()
        for one in bind(self.address):
            if self.address.unix_socket is None:
                server = await loop.create_server(self._protocol, sock=one, **tls)
                self.bound = replace(self.address, port=one.getsockname()[1])
            else:
                self._socket_file = socket_file(self.address.unix_socket)
                server = await loop.create_unix_server(self._protocol, sock=one, **tls)
            self._accepting.append(server)

    @property
    def callers(self) -> int:
        """How many are connected."""
        return len(self._server.connections)

    async def close(self, grace_s: float) -> None:
        """Accepts nothing more, lets what is in flight finish within the grace, then ends it.

        Cancelled, it ends what is in flight at once.
        """
        self.door.say_goodbye()
        for server in self._accepting:
            server.close()
        self._accepting.clear()
        if self._socket_file is not None:
            unlink(*self._socket_file)
        try:
            # What has arrived by now is a request in flight, not an idle connection.
            await asyncio.sleep(0)
            self._server.pre_shutdown()
            await self.door.drain(grace_s)
        finally:
            await self._server.shutdown(_AT_ONCE_S)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request._version not in _VERSIONS:  # noqa: SLF001  (`version` keeps what it once said)
            # An answer begins with the version that was asked in, also where nobody speaks it.
            request._version = HttpVersion11  # noqa: SLF001  (there is no other way to say so)
            return self.door.misread()
        return await self.door.answer(request, self.gate)

    def _protocol(self) -> web.RequestHandler:
        return Caller(
            self._server,
            self.door,
            self._patience,
            gate=lambda: self.gate,
            make_room=self._make_room,
        )

    def _make_room(self) -> bool:
        """Whether one more caller may stay."""
        callers = cast("list[Caller]", self._server.connections)
        if len(callers) <= self._patience.callers:
            return True
        self.door.turned_away(TOO_MANY, HTTPStatus.SERVICE_UNAVAILABLE)
        idle = [one for one in callers if one.is_idle]
        if not idle:
            return False
        min(idle, key=lambda one: one.idle_since).force_close()
        return True


def _certificate(address: Address) -> ServerCertificate | None:
    """Raises `ListenerUnavailable`."""
    if address.certificate_file is None or address.key_file is None:
        return None
    return certificate.opened(address.certificate_file, address.key_file, where=str(address))
