"""A pretend vendor: one shape of TM Forum APIs and a token endpoint, on one address.

async with SimulatedVendor("amdocs", tls=VendorTls.in_folder(folder), client=client) as vendor:
…  # ask vendor.base_url, with tokens of vendor.token_url
await vendor.faults.set(Hang())
"""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl

from aiohttp import web

from adapters.lookup import wall_clock
from adapters.simulator.answering import Answerer, Question
from adapters.simulator.door import Door, reset
from adapters.simulator.faults import Answer, Faults, Listening, NeverAnswered, Where
from adapters.simulator.population import Shape
from adapters.simulator.reply import WRONG_PATH, Reply
from adapters.simulator.sending import send
from adapters.simulator.shapes import BASE_PATHS, MANNERS, TOKEN_PATHS, Manners, Version
from adapters.simulator.tls import PeerCertificate, VendorTls
from adapters.simulator.tokens import RegisteredClient, TokenEndpoint, TokenRequest
from adapters.simulator.traffic import SeenRequest, Traffic
from adapters.simulator.vendor_data import VendorData

_ENDING_S = 0.2


class SimulatedVendor:
    """Runs in the event loop of whoever starts it; any number side by side."""

    def __init__(  # noqa: PLR0913  (the knobs of a double, each with its name)
        self,
        shape: Shape,
        version: Version = "v4",
        *,
        tls: VendorTls | None,
        client: RegisteredClient | None,
        tenant: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        latency_s: float = 0.0,
        token_lifetime_s: float = 300.0,
        manners: Manners | None = None,
        clock: Callable[[], datetime] = wall_clock,
        data: VendorData | None = None,
    ) -> None:
        """Without `tls` it speaks plain HTTP, without `client` it asks for no token.

        `data` shares rows that were built before; else they are built for `tenant`, which is
        `<shape>_demo` unless given, as of `clock()`.
        """
        tenant = tenant or f"{shape}_demo"
        self.shape: Shape = shape
        self.version: Version = version
        self.data = data or VendorData.build(shape, version, tenant=tenant, now=clock())
        self.latency_s = latency_s
        self.faults = Faults()
        self.faults.connect(self._follow)
        self.tokens: TokenEndpoint | None = None
        if client is not None:
            self.tokens = TokenEndpoint(
                client, lifetime_s=token_lifetime_s, now=clock, url=lambda: self.token_url
            )
        self.traffic = Traffic()
        self.reached_at: str | None = None
        """Scheme, host and port by which callers know it, where a relay stands before it."""
        self._answerer = Answerer(self.data, manners or MANNERS[shape])
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._address = host, port
        self._door: Door | None = None
        self._server: web.Server | None = None

    @property
    def port(self) -> int:
        if self._door is None:
            raise RuntimeError("the vendor is not running")
        return self._door.port

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        host = self._address[0]
        bracketed = f"[{host}]" if ":" in host else host
        return f"{'https' if self._tls else 'http'}://{bracketed}:{self.port}"

    @property
    def base_url(self) -> str:
        """A connection's `base_url`; it ends with a slash."""
        return self.origin + BASE_PATHS[self.shape]

    @property
    def token_url(self) -> str:
        return self.origin + TOKEN_PATHS[self.shape]

    async def start(self) -> None:
        self._server = web.Server(self._handle, access_log=None, handler_cancellation=True)
        self._door = Door(*self._address, self._server)
        await self.present(self._tls)

    async def stop(self) -> None:
        if self._door is None or self._server is None:
            return
        self._door.close()
        self._server.pre_shutdown()
        await self._server.shutdown(_ENDING_S)
        self._door = self._server = None

    async def present(self, tls: VendorTls | None) -> None:
        """From now on this certificate is shown, and this CA's clients are let in."""
        self._tls = tls
        self._context = None if tls is None else await asyncio.to_thread(tls.context)
        await self._listen(self.faults.listening)

    def drop_connections(self) -> None:
        """Resets every open connection, as a vendor does that fails over."""
        for connection in self._server.connections if self._server else []:
            reset(connection.transport)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _follow(self, listening: Listening) -> None:
        """Who is just connecting loses the connection with the socket, so it stays if it can."""
        if self._door is not None and self._door.listening != listening:
            await self._listen(listening)

    async def _listen(self, listening: Listening) -> None:
        if self._door is None:
            return
        await self._door.turn(listening, self._context)
        if listening != "serving":
            self.drop_connections()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        origin = self.reached_at or self.origin
        question = Question(path, parse_qsl(query, keep_blank_values=True), origin=origin)
        where: Where = "token" if self._is_token(path) else "api"
        certificate = _certificate(request)
        self.traffic.arrive(self._seen(request, question, certificate))
        if where == "token":
            answer = self._token_answer(request, certificate)
        else:
            answer = self._data_answer(request)
        try:
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            reply = await self.faults.around(where, question, answer)
            self.traffic.replies[reply.status] += 1
            return await send(request, reply)
        except NeverAnswered:
            reset(request.transport)
            return web.Response()
        finally:
            self.traffic.leave()

    def _is_token(self, path: str) -> bool:
        return self.tokens is not None and path == TOKEN_PATHS[self.shape]

    def _seen(
        self, request: web.BaseRequest, question: Question, certificate: PeerCertificate | None
    ) -> SeenRequest:
        is_token = self._is_token(question.path)
        return SeenRequest(
            method=request.method,
            kind="token" if is_token else self._answerer.resource_at(question.path) or "other",
            path=question.path,
            query=question.query,
            certificate=certificate,
            correlation_id=request.headers.get("X-Correlation-ID"),
            traceparent=request.headers.get("traceparent"),
            tracestate=request.headers.get("tracestate"),
        )

    def _data_answer(self, request: web.BaseRequest) -> Answer:
        async def answer(question: Question) -> Reply:
            if self.tokens is not None and not self.tokens.accepts(
                request.headers.get("Authorization")
            ):
                challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
                return self._answerer.error(401, "The token is not accepted", challenge)
            if request.method != "GET":
                return self._answerer.error(405, "Only GET is allowed here", {"Allow": "GET"})
            return self._answerer.answer(question)

        return answer

    def _token_answer(
        self, request: web.BaseRequest, certificate: PeerCertificate | None
    ) -> Answer:
        async def answer(_question: Question) -> Reply:
            if self.tokens is None:
                return WRONG_PATH
            return self.tokens.answer(
                TokenRequest(
                    method=request.method,
                    body=await request.read(),
                    content_type=request.content_type,
                    authorization=request.headers.get("Authorization"),
                    certificate_name=None if certificate is None else certificate.common_name,
                )
            )

        return answer


def _certificate(request: web.BaseRequest) -> PeerCertificate | None:
    transport = request.transport
    return None if transport is None else PeerCertificate.of(transport.get_extra_info("peercert"))
