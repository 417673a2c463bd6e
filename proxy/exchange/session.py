"""Connections to the servers of one vendor under one certificate; one request at a time on each.

aiohttp makes the connections (names, TLS, egress proxies) and parses what comes. What is between
the two is ours: with its client a request takes half as much CPU again (measured over mutual TLS
with 8 to 64 in flight), and its pool does not tell how many connections are open, nor opens any
ahead.
"""

import asyncio
import re
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from ssl import SSLContext
from types import TracebackType
from typing import Self, TypeAlias, TypeVar

import aiohttp
from aiohttp.connector import AddrInfoType, Connection
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

from config import settings
from proxy.exchange.handshakes import Handshakes
from proxy.exchange.together import together
from proxy.exchange.turns import Turns

T = TypeVar("T")

KEEP_ALIVE_S = 30.0
"""A connection that idles for longer is closed, unless it is one of those to be kept warm."""
NAMES_S = 1
"""A name is looked up again after that, so that whoever has moved is found by the next attempt."""
FOR_THE_TOKEN = 1
"""A connection beside those of the slots, so that a token never waits for a slow exchange."""
PROBES_S = 15
"""TCP's own probes of an idle connection: whoever is in between (a firewall, a load balancer) sees
that it is still wanted, and one whose other end is gone is known to be."""
READ_BYTES = 65536


_ORIGIN = re.compile(r"(https?://[^/?#]+)([^#]*)", re.DOTALL)
_HUNG_UP = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)

Read: TypeAlias = Callable[[RawResponseMessage, StreamReader], Awaitable[T]]
"""Makes something of a reply's head and of its body, which it reads to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What is sent. URL, headers and form hold customers' ids and secrets."""

    method: str
    url: str = field(repr=False)
    """Already encoded; not a character of it is touched."""
    headers: Mapping[str, str] = field(repr=False)
    form: str | None = field(default=None, repr=False)
    server_name: str | None = None
    """Host name expected in the server's certificate, where it is not the URL's."""

    @property
    def is_urgent(self) -> bool:
        """It brings a token, for which all others wait: it waits for nobody."""
        return self.method == "POST"


@dataclass(frozen=True, slots=True)
class Origin:
    """A server as a URL names it."""

    url: str = field(repr=False)
    """Scheme, host and port; no slash at the end."""
    server_name: str | None = None
    """Host name expected in its certificate, where it is not the URL's."""


class Stale(Exception):  # noqa: N818  (what befell a request, not an error of ours)
    """A used connection was hung up as a request went out on it.

    A server may close one that idles in just that moment; then it most likely never read the
    request, which may go once more if it is idempotent (RFC 9112, section 9.3.1).
    """

    def __init__(self, error: aiohttp.ClientError) -> None:
        super().__init__(type(error).__name__)
        self.error = error


@dataclass(slots=True, eq=False)
class Server:
    """What a session has of one server."""

    template: aiohttp.ClientRequest = field(repr=False)
    """aiohttp reads off it how to connect. It is never sent."""
    host: str = field(repr=False)
    """As requests name it."""
    idle: deque[tuple[Connection, float]] = field(default_factory=deque, repr=False)
    """And since when. Who was used last is used next, so that those too many stay idle."""
    busy: int = 0
    warm: int = 0
    """Connections that are kept however long they idle."""

    @property
    def open(self) -> int:
        return self.busy + sum(_is_usable(one) for one, _ in self.idle)


class Session:
    """Made and used on one event loop. `close` ends what is under way."""

    def __init__(self, tls: SSLContext, wire: settings.Wire) -> None:
        self._proxy = URL(wire.egress_proxy) if wire.egress_proxy else None
        self._connector = aiohttp.TCPConnector(
            ssl=tls, limit=0, force_close=True, ttl_dns_cache=NAMES_S, socket_factory=_probed
        )
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=wire.connect_timeout)
        self._room = Turns(wire.concurrency + FOR_THE_TOKEN)
        self._handshakes = Handshakes()
        self._servers: dict[tuple[str, str | None], Server] = {}
        self._said: tuple[Mapping[str, str], str] = ({}, "")
        """Headers of the latest request, and their lines: one question's exchanges share them."""
        self._sweep: asyncio.TimerHandle | None = None
        self.closed = False

    @property
    def open(self) -> int:
        """Connections that are there, in use or idle."""
        return sum(one.open for one in self._servers.values())

    async def ask(
        self,
        request: HttpRequest,
        read: Read[T],
        *,
        waited: Callable[[float], object],
    ) -> T:
        """What `read` makes of the reply.

        `waited` is told for how many seconds it waited for others of ours. Raises what aiohttp
        raises of connections and replies, and `Stale` as long as no reply has begun.
        """
        origin, target = _split(request.url)
        server = self._server(origin, request.server_name)
        data = _written(request, target, server.host, self._lines(request.headers))
        if not self._room.take():
            await self._room.wait(waited)
        server.busy += 1
        connection, is_whole = None, False
        try:
            connection, is_used = self._idle(server), True
            if connection is None:
                is_used = False
                connection = await self._connect(server, waited, is_urgent=request.is_urgent)
            message, body = await _sent(connection, data, is_used=is_used)
            made = await read(message, body)
            is_whole = body.is_eof()
            return made
        finally:
            server.busy -= 1
            self._room.give_back()
            if connection is not None:
                self._give_back(server, connection, is_whole=is_whole)

    async def warm(self, origin: Origin, number: int) -> None:
        """Opens connections until so many are there, and keeps these however long they idle.

        The first goes alone: a server that is not there is asked once. Raises as `ask` does.
        """
        server = self._server(origin.url, origin.server_name)
        server.warm = number
        if server.open < number:
            await self._add(server)
        lacking = number - server.open
        await together(self._add_if_lacking(server) for _ in range(lacking))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        self.closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        # It waits until each is closed; one given back before would close behind our back.
        await self._connector.close()
        for server in self._servers.values():
            while server.idle:
                server.idle.pop()[0].close()

    async def _add_if_lacking(self, server: Server) -> None:
        if server.open < server.warm:
            await self._add(server)

    async def _add(self, server: Server) -> None:
        connection = await self._connect(server, _nobody, is_urgent=False)
        self._give_back(server, connection, is_whole=True)

    def _lines(self, headers: Mapping[str, str]) -> str:
        latest, lines = self._said
        if latest is not headers:
            lines = "".join(f"\n{name}: {value}" for name, value in headers.items())
            if "User-Agent" not in headers:
                lines = "\nUser-Agent: bss-sidecar" + lines
            if lines.count("\n") != len(headers) + ("User-Agent" not in headers):
                raise aiohttp.InvalidURL("a line break in a header")
            self._said = headers, lines
        return lines

    def _server(self, url: str, server_name: str | None) -> Server:
        server = self._servers.get((url, server_name))
        if server is None:
            template = aiohttp.ClientRequest(
                "GET", URL(url, encoded=True), proxy=self._proxy, server_hostname=server_name
            )
            server = Server(template, template.headers["Host"])
            self._servers[url, server_name] = server
        return server

    def _idle(self, server: Server) -> Connection | None:
        while server.idle:
            connection, _ = server.idle.pop()
            if _is_usable(connection):
                return connection
            connection.close()
        return None

    async def _connect(
        self, server: Server, waited: Callable[[float], object], *, is_urgent: bool
    ) -> Connection:
        if self.closed:
            raise aiohttp.ClientConnectionError("the session is closed")
        if is_urgent:
            return await self._connector.connect(server.template, [], self._timeout)
        async with self._handshakes.turn(waited):
            return await self._connector.connect(server.template, [], self._timeout)

    def _give_back(self, server: Server, connection: Connection, *, is_whole: bool) -> None:
        if self.closed or not is_whole or not _is_usable(connection):
            connection.close()
            return
        loop = asyncio.get_running_loop()
        server.idle.append((connection, loop.time()))
        if self._sweep is None:
            self._sweep = loop.call_later(KEEP_ALIVE_S, self._swept)

    def _swept(self) -> None:
        """Closes what has idled for too long, the longest first, and what was hung up."""
        loop = asyncio.get_running_loop()
        self._sweep, too_old = None, loop.time() - KEEP_ALIVE_S
        for server in self._servers.values():
            idle, server.idle = server.idle, deque()
            spare = len(idle) - server.warm
            for connection, since in idle:
                if not _is_usable(connection) or (since <= too_old and spare > 0):
                    spare -= 1
                    connection.close()
                else:
                    server.idle.append((connection, since))
            if server.idle and self._sweep is None:
                self._sweep = loop.call_later(KEEP_ALIVE_S, self._swept)


async def _sent(
    connection: Connection, data: bytes, *, is_used: bool
) -> tuple[RawResponseMessage, StreamReader]:
    """The head of the final reply, and the body behind it."""
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None:
        raise aiohttp.ServerDisconnectedError
    protocol.set_response_params(read_until_eof=True, read_bufsize=READ_BYTES)
    transport.write(data)
    try:
        while True:
            message, body = await protocol.read()
            if not 100 <= message.code <= 199 or message.code == 101:
                return message, body
    except _HUNG_UP as error:
        if is_used:
            raise Stale(error) from error
        raise


def _is_usable(connection: Connection) -> bool:
    """It is open, and nothing came on it that nobody asked for: that would be the next reply."""
    protocol = connection.protocol
    return protocol is not None and protocol.is_connected() and not protocol.should_close


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL. Raises `InvalidURL`."""
    return _split(url)[0]


def _split(url: str) -> tuple[str, str]:
    """Origin and target. A fragment is not sent."""
    match = _ORIGIN.match(url)
    if match is None:
        raise aiohttp.InvalidURL("not of a server")
    target = match[2]
    return match[1], target if target.startswith("/") else "/" + target


def _written(request: HttpRequest, target: str, host: str, headers: str) -> bytes:
    """A request as HTTP/1.1 has it. Raises `InvalidURL`: something would break its head.

    `headers`: a line each, after a line feed.
    """
    form = request.form
    if "\n" in target or "\n" in host:
        raise aiohttp.InvalidURL("a line break in a request's head")
    head = f"{request.method} {target} HTTP/1.1\nHost: {host}{headers}"
    if form is not None:
        head += f"\nContent-Length: {len(form.encode())}"
    if "\r" in head or "\0" in head:
        raise aiohttp.InvalidURL("a line break in a request's head")
    return (head.replace("\n", "\r\n") + "\r\n\r\n" + (form or "")).encode()


def _probed(address: AddrInfoType) -> socket.socket:
    """A socket of which TCP itself finds out whether the other end is there."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
        if (number := getattr(socket, option, None)) is not None:  # Linux has them
            made.setsockopt(socket.IPPROTO_TCP, number, PROBES_S)
    return made


def _nobody(_seconds: float) -> None:
    """Nobody counts."""
