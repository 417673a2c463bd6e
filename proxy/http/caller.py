"""One caller, from when it connects until it is gone, and limits to what it may hold.

A container of the pod that connects and stays, or sends and reads a byte at a time, would have all
descriptors and much memory in the end.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeGuard, cast

from aiohttp import EMPTY_PAYLOAD, HttpVersion10, HttpVersion11, web
from aiohttp.http import HttpProcessingError, RawRequestMessage, StreamWriter
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import _ErrInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from proxy.http.door import Door
from proxy.http.gate import Gate
from proxy.http.problems import ProblemType
from proxy.lifecycle import read_less_at_once

LINGER_S = 2.0
"""How long what is left of a refused body is read, so that the caller gets to read the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """What a caller may take."""

    head_s: float = 10.0
    """For the head of a request, from its first byte on, and for a TLS handshake."""
    idle_s: float = 75.0
    """To say nothing, before the first request and between two."""
    read_s: float = 30.0
    """To leave an answer unread that does not fit into the system's buffers."""
    callers: int = 1_000
    """Connected to one listener. For one more, the one that has been idle the longest is closed."""


_UNREADABLE = RawRequestMessage(
    "UNKNOWN", "/", HttpVersion10, CIMultiDictProxy(CIMultiDict()), (), True, None, False, False,
    URL("/"),
)  # fmt: skip


class Caller(web.RequestHandler):
    """aiohttp's HTTP framing, with our words where it cannot read a request.

    The loop over the requests of a connection is ours. aiohttp's makes a task, a request and a
    response for each of them, which takes more of the processor than a question that the cache can
    answer; ours makes them only for what is more than a plain `GET`. It stands on names of aiohttp
    that are not public, so a test holds them, and `pyproject.toml` the series they are of.
    """

    __slots__ = (
        "_door",
        "_gate",
        "_head_timer",
        "_make_room",
        "_patience",
        "_read_timer",
        "idle_since",
    )

    def __init__(
        self,
        server: web.Server,
        door: Door,
        patience: Patience,
        *,
        gate: Callable[[], Gate],
        make_room: Callable[[], bool],
    ) -> None:
        """`gate`: the one of now; `make_room` says whether it may stay, once it is counted."""
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own way to say "none"
            auto_decompress=False,
            lingering_time=LINGER_S,
            keepalive_timeout=patience.idle_s,
        )
        self._door = door
        self._patience = patience
        self._gate = gate
        self._make_room = make_room
        self._head_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self.idle_since = self._loop.time()
        """Or since when it is known to be busy, on the event loop's clock."""

    @property
    def _is_over(self) -> bool:
        return self._close or self._force_close

    @property
    def is_idle(self) -> bool:
        """Whether it waits for the head of a request, or for the rest of one."""
        return self._waiter is not None and not self._waiter.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        read_less_at_once(transport)
        if not self._make_room():
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_head_timer()
        self._stop_read_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.is_idle:
            self._stop_head_timer()
            self.idle_since = self._loop.time()
        elif data and self._head_timer is None:
            self._head_timer = self._loop.call_later(self._patience.head_s, self._slow_head)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.transport is not None:
            self._read_timer = self._loop.call_later(self._patience.read_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_read_timer()

    async def start(self) -> None:
        """From the first request to the last."""
        transport = self.transport
        try:
            await self._answer_all()
        except ConnectionError:
            self.force_close()  # the caller is gone, or an answer broke off: it can't be ended
        except Exception as error:  # noqa: BLE001  (the edge: nobody is behind this task)
            self._door.failed(error)
            self.force_close()
        except asyncio.CancelledError:
            self.force_close()
            raise
        finally:
            # A transport that closes waits for ever until what it has is read.
            if transport is not None and transport.get_write_buffer_size():
                self._loop.call_later(self._patience.read_s, transport.abort)

    async def _answer_all(self) -> None:
        while not self._force_close:
            if not self._messages:
                await self._next_message()
            message, payload = self._messages.popleft()
            if self._parser is not None:  # it is gone with the caller
                self._parser.message_consumed()
            if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
                self._resume_reading_if_drained()
            if payload is EMPTY_PAYLOAD and _is_plain(message):
                goes_on = await self._answer_plain(message)
            else:
                goes_on = await self._answer_any(message, payload)
            if self._is_over or not goes_on:
                break
            self._wait_for_another()
            if self._messages:
                await asyncio.sleep(0)  # other callers have their turn between two of one
        if not self._force_close:
            self._task_handler = None
            if self.transport is not None:
                self.transport.close()

    async def _next_message(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def _answer_plain(self, message: RawRequestMessage) -> bool:
        """Whether another request may follow."""
        self._request_in_progress = True
        try:
            answer = await self._door.answer_plain(message, self._gate())
            if not isinstance(answer, bytes):
                request = self._request_of(message, EMPTY_PAYLOAD)
                _, is_lost = await self.finish_response(request, answer, None)
                return bool(answer.keep_alive) and not is_lost
        finally:
            self._is_answered()
        if self.transport is None or self.transport.is_closing():
            return False
        self.transport.write(answer)
        if self._paused:
            await self._drain_helper()
        return True

    async def _answer_any(
        self, message: RawRequestMessage | _ErrInfo, payload: StreamReader
    ) -> bool:
        """Whether another request may follow."""
        handler = self._request_handler
        if isinstance(message, _ErrInfo):
            handler, message = self._make_error_handler(message), _UNREADABLE
        if handler is None:  # the caller is gone
            return False
        request = self._request_of(message, payload)
        try:
            answer, is_lost = await self._handle_request(request, None, handler)
        finally:
            request._task = None  # type: ignore[assignment]  # noqa: SLF001  (a cycle, otherwise)
        if is_lost:
            return False
        if not payload.is_eof() and not self._force_close:
            await self._read_on(payload)
        payload.set_exception(web.PayloadAccessError())
        return bool(answer.keep_alive)

    async def _read_on(self, payload: StreamReader) -> None:
        """What nobody wanted of a body, for a while: its sender reads our answer after it."""
        with suppress(TimeoutError, web.RequestPayloadError):
            async with asyncio.timeout(self._lingering_time):
                while not payload.is_eof():
                    await payload.readany()
        if not payload.is_eof():
            self.close()

    def _request_of(self, message: RawRequestMessage, payload: StreamReader) -> web.BaseRequest:
        writer = StreamWriter(self, self._loop)
        task = cast("asyncio.Task[None]", asyncio.current_task())
        return web.BaseRequest(message, payload, self, writer, task, self._loop)

    def _is_answered(self) -> None:
        self._request_in_progress = False
        if self._handler_waiter is not None and not self._handler_waiter.done():
            self._handler_waiter.set_result(None)

    def _wait_for_another(self) -> None:
        self._keepalive = True
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(
                self._next_keepalive_close_time, self._process_keepalive
            )

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
        if isinstance(exc, HttpProcessingError):
            return self._door.misread()
        return self._door.broken(exc if isinstance(exc, Exception) else TimeoutError())

    def _slow_head(self) -> None:
        self._head_timer = None
        if self.is_idle:
            self._door.turned_away(ProblemType.SLOW_REQUEST, HTTPStatus.REQUEST_TIMEOUT)
            self.force_close()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None


def _is_plain(message: RawRequestMessage | _ErrInfo) -> TypeGuard[RawRequestMessage]:
    """A `GET` in HTTP/1.1, of a path of ours, on a connection that stays."""
    return (
        isinstance(message, RawRequestMessage)
        and message.method == "GET"
        and message.version == HttpVersion11
        and not message.should_close
        and not message.upgrade
        and message.path.startswith("/")
    )
