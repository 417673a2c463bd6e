"""One caller, from when it connects until it is gone, and limits to what it may hold.

A container of the pod that connects and stays, or sends and reads a byte at a time, would have all
descriptors and much memory in the end.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from proxy.http.door import Door
from proxy.http.problems import ProblemType

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


class Caller(web.RequestHandler):
    """aiohttp's HTTP framing, with our words where it cannot read a request."""

    __slots__ = ("_door", "_head_timer", "_make_room", "_patience", "_read_timer", "idle_since")

    def __init__(
        self, server: web.Server, door: Door, patience: Patience, *, make_room: Callable[[], bool]
    ) -> None:
        """`make_room` says whether it may stay, once it is counted."""
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
        self._make_room = make_room
        self._head_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self.idle_since = self._loop.time()
        """Or since when it is known to be busy, on the event loop's clock."""

    @property
    def is_idle(self) -> bool:
        """Whether it waits for the head of a request, or for the rest of one."""
        return self._waiter is not None and not self._waiter.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
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
            await super().start()
        finally:
            # A transport that closes waits for ever until what it has is read.
            if transport is not None and transport.get_write_buffer_size():
                self._loop.call_later(self._patience.read_s, transport.abort)

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
        return self._door.misread()

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
