"""A door at its address: sockets, TLS, HTTP framing, and the way they open and close."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from proxy.http import certificate
from proxy.http.addresses import Address, bind, socket_file, unlink
from proxy.http.certificate import ServerCertificate
from proxy.http.door import Door
from proxy.http.gate import Gate

LINGER_S = 2.0
"""How long what is left of a refused body is read, so that the caller gets to read the answer."""
_AT_ONCE_S = 0.05
"""aiohttp takes 0 for "for ever"."""


class Listener:
    """One door, open at one address."""

    def __init__(self, door: Door, address: Address, gate: Gate) -> None:
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
        self._accepting: list[asyncio.Server] = []
        self._socket_file: tuple[Path, int] | None = None

    async def open(self) -> None:
        """Binds and listens. Raises `ListenerUnavailable`, having taken nothing."""
        self.certificate = await asyncio.to_thread(_certificate, self.address)
        context = self.certificate.context if self.certificate else None
        loop = asyncio.get_running_loop()
        for one in bind(self.address):
            if self.address.unix_socket is None:
                server = await loop.create_server(self._protocol, sock=one, ssl=context)
                self.bound = replace(self.address, port=one.getsockname()[1])
            else:
                self._socket_file = socket_file(self.address.unix_socket)
                server = await loop.create_unix_server(self._protocol, sock=one, ssl=context)
            self._accepting.append(server)

    async def close(self, grace_s: float) -> None:
        """Accepts nothing more, lets what is in flight finish within the grace, then ends it.

        Cancelled, it ends what is in flight at once.
        """
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
        return await self.door.answer(request, self.gate)

    def _protocol(self) -> web.RequestHandler:
        return _Protocol(self._server, self.door.misread)


class _Protocol(web.RequestHandler):
    """HTTP framing by aiohttp, with our words where it cannot read a request."""

    __slots__ = ("_misread",)

    def __init__(self, server: web.Server, misread: Callable[[], web.Response]) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own way to say "none"
            auto_decompress=False,
            lingering_time=LINGER_S,
        )
        self._misread = misread

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The words of `exc` and `message` quote the request, so they go nowhere."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is already on its way")
        return self._misread()


def _certificate(address: Address) -> ServerCertificate | None:
    """Raises `ListenerUnavailable`."""
    if address.certificate_file is None or address.key_file is None:
        return None
    return certificate.opened(address.certificate_file, address.key_file, where=str(address))
