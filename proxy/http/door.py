"""One listener's routes behind its gate. Every answer leaves through `Door.answer`.

The routes are looked up here and not by an `aiohttp.web.Application`, so that nothing (a wrong
method, an unknown route, an unmet expectation) is answered by anybody else's words or headers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from aiohttp import web
from aiohttp.http import RawRequestMessage
from multidict import CIMultiDictProxy
from yarl import URL

from proxy.http import SERVER, correlation
from proxy.http.gate import Gate
from proxy.http.problems import Problem, ProblemType, as_problem, malformed, response
from proxy.http.reply import Reply, as_response, in_one_piece
from proxy.http.requests import json_content
from proxy.telemetry.records import RefusalRecord

_CHANGES_STATE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(slots=True)
class Visit:
    """One request on its way through a door."""

    method: str
    url: URL = field(repr=False)
    """Relative; the variable segments of a path are somebody's."""
    headers: "CIMultiDictProxy[str]" = field(repr=False)
    correlation_id: str
    arrived: float
    """When its head was read, on the event loop's clock."""
    request: web.BaseRequest | None = field(default=None, repr=False)
    """`None` of a plain request: it has no body."""
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The variable segments of the path, once its route is found."""


Answer: TypeAlias = web.Response | Reply
Handler: TypeAlias = Callable[[Visit], Awaitable[Answer]]


class Route:
    """What is answered at one path, to one method."""

    __slots__ = ("_fixed", "_names", "_segments", "handler", "method", "path")

    def __init__(self, method: str, path: str, handler: Handler) -> None:
        """Segments of the path in braces are variable: `/v1/customers/{customer_id}/cache`."""
        self.method = method
        self.path = path
        self.handler = handler
        segments = path.split("/")
        self._segments = len(segments)
        self._names = [(at, name[1:-1]) for at, name in enumerate(segments) if name.startswith("{")]
        variable = {at for at, _ in self._names}
        # The last ones first: paths begin alike.
        self._fixed = [(at, name) for at, name in enumerate(segments) if at not in variable][::-1]

    def match(self, given: Sequence[str]) -> Mapping[str, str] | None:
        """The variable segments of a path, or `None` if this is another path."""
        if len(given) != self._segments:
            return None
        for at, name in self._fixed:
            if given[at] != name:
                return None
        return {name: given[at] for at, name in self._names}


class Door:
    """Lets requests in, and sees every answer out."""

    def __init__(
        self,
        name: str,
        routes: Sequence[Route],
        *,
        on_refusal: Callable[[RefusalRecord], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self.name = name
        self._routes = routes
        self._on_refusal = on_refusal
        self._on_error = on_error
        self._in_flight = 0
        self._idle = asyncio.Event()
        """Set once it closes and nothing is in flight."""
        self._closing = False

    async def answer(self, request: web.BaseRequest, gate: Gate) -> web.StreamResponse:
        """The answer to any request. Only cancellation passes."""
        headers = request.headers
        visit = Visit(
            request.method,
            request.rel_url,
            headers,
            correlation.correlation_id(headers),
            asyncio.get_running_loop().time(),
            request,
        )
        answer, timing = await self._answer(visit, gate, _target_host(request))
        if isinstance(answer, Reply):
            answer = as_response(answer)
        answer.headers["Server-Timing"] = timing
        if self._closing:
            answer.force_close()
        return _with_headers(answer, visit.correlation_id)

    async def answer_plain(self, message: RawRequestMessage, gate: Gate) -> bytes | web.Response:
        """The same to a request without a body, on a connection that stays: as it is to be written,
        where it is a `Reply`.
        """
        headers = message.headers
        visit = Visit(
            message.method,
            message.url,
            headers,
            correlation.correlation_id(headers),
            asyncio.get_running_loop().time(),
        )
        answer, timing = await self._answer(visit, gate, None)
        if isinstance(answer, Reply):
            if not self._closing:
                return in_one_piece(answer, visit.correlation_id, timing)
            answer = as_response(answer)
        answer.headers["Server-Timing"] = timing
        if self._closing:
            answer.force_close()
        return _with_headers(answer, visit.correlation_id)

    async def _answer(
        self, visit: Visit, gate: Gate, target_host: str | None
    ) -> tuple[Answer, str]:
        """And how long it took, as a header says it."""
        self._in_flight += 1
        try:
            answer = await self._let_in(visit, gate, target_host)
        except Exception as error:  # noqa: BLE001  (the edge: every error becomes a problem)
            answer = self._refuse(visit, error)
        finally:
            self._in_flight -= 1
            if self._closing and not self._in_flight:
                self._idle.set()
        took_s = asyncio.get_running_loop().time() - visit.arrived
        return answer, f"total;dur={took_s * 1000:.1f}"

    def misread(self) -> web.Response:
        """The answer to bytes that could not be read as a request: whose it is, is not known."""
        problem = malformed("the bytes received are no HTTP request")
        problem.closes = True
        correlation_id = correlation.correlation_id({})
        self._tell(correlation_id, problem)
        return _with_headers(response(problem), correlation_id)

    def broken(self, error: Exception) -> web.Response:
        """The answer in place of one that could not be made."""
        self.failed(error)
        problem = Problem(ProblemType.INTERNAL, closes=True)
        return _with_headers(response(problem), correlation.correlation_id({}))

    def failed(self, error: Exception) -> None:
        """Something unforeseen broke around an answer, and the connection with it."""
        self._on_error(error)

    def turned_away(self, problem: str, status: int) -> None:
        """A connection is closed without an answer, which is told as if this had been one."""
        self._on_refusal(
            RefusalRecord(
                listener=self.name,
                correlation_id=correlation.correlation_id({}),
                problem=problem,
                status=status,
            )
        )

    def say_goodbye(self) -> None:
        """With each answer from now on: its connection is closed after it."""
        self._closing = True

    async def drain(self, grace_s: float) -> bool:
        """Says goodbye, and waits until nothing is in flight, `grace_s` at most."""
        self.say_goodbye()
        if not self._in_flight:
            return True
        self._idle.clear()
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def _let_in(self, visit: Visit, gate: Gate, target_host: str | None) -> Answer:
        headers, method = visit.headers, visit.method
        gate.admit(headers, target_host=target_host)
        route, visit.params = self._find(method, visit.url.raw_path)
        if headers.get("Expect", "100-continue").lower() != "100-continue":
            raise Problem(ProblemType.EXPECTATION)
        if method in _CHANGES_STATE:
            json_content(headers)
        return await route.handler(visit)

    def _find(self, method: str, path: str) -> tuple[Route, Mapping[str, str]]:
        given = path.split("/")
        known = set()
        for route in self._routes:
            params = route.match(given)
            if params is None:
                continue
            # RFC 9110, section 9.3.2: HEAD is GET without the content, which the server leaves out.
            if route.method == method or (method == "HEAD" and route.method == "GET"):
                return route, params
            known.add(route.method)
        if not known:
            raise Problem(ProblemType.UNKNOWN_ROUTE)
        allowed = sorted(known | {"HEAD"} if "GET" in known else known)
        raise Problem(ProblemType.METHOD, headers={"Allow": ", ".join(allowed)})

    def _refuse(self, visit: Visit, error: Exception) -> web.Response:
        problem = as_problem(error)
        if problem.type is ProblemType.INTERNAL:
            self._on_error(error)
        self._tell(visit.correlation_id, problem)
        return response(problem)

    def _tell(self, correlation_id: str, problem: Problem) -> None:
        if problem.is_refusal:
            self._on_refusal(
                RefusalRecord(
                    listener=self.name,
                    correlation_id=correlation_id,
                    problem=problem.type,
                    status=problem.status,
                )
            )


async def body(visit: Visit, *, most: int, within_s: float) -> bytes:
    """The content of a request: `most` bytes at most, all of them here `within_s` of its head."""
    request = visit.request
    if request is None:
        return b""
    too_large = Problem(
        ProblemType.TOO_LARGE, f"a body of {most} bytes is accepted at most", closes=True
    )
    if (request.content_length or 0) > most:
        raise too_large
    content = bytearray()
    try:
        async with asyncio.timeout_at(visit.arrived + within_s):
            await _go_on(request)
            while chunk := await request.content.readany():
                content += chunk
                if len(content) > most:
                    raise too_large
    except TimeoutError:
        raise Problem(ProblemType.SLOW_REQUEST, closes=True) from None
    except web.RequestPayloadError:
        problem = malformed("the body is not framed as HTTP asks")
        problem.closes = True
        raise problem from None
    return bytes(content)


async def _go_on(request: web.BaseRequest) -> None:
    """Tells a caller who waits for it that the body may come (RFC 9110, section 10.1.1)."""
    if "Expect" in request.headers and request.version >= (1, 1):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # What was written is no part of the answer: an error may still be told.
        request.writer.output_size = 0


def _target_host(request: web.BaseRequest) -> str | None:
    """The host of a request target in absolute form, which wins over the `Host` field."""
    given = request.headers.get("Host")
    return None if given is None or request.host == given else request.host


def _with_headers(answer: web.Response, correlation_id: str) -> web.Response:
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers[correlation.HEADER] = correlation_id
    answer.headers["Server"] = SERVER
    return answer
