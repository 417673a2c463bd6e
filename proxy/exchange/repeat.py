"""aiohttp's own repeat of a request, held to where it does good.

A server may close an idle connection in the moment in which we send on it. Such a request was
most likely never read, and aiohttp sends it again by itself, as RFC 9112, section 9.3.1, allows
for idempotent ones. It also does so where a server hangs up on a connection made for this very
request, which tells of more than bad luck: that is left to the retries.
"""

from collections.abc import Callable
from types import SimpleNamespace

import aiohttp
from aiohttp import ClientConnectorError, ClientOSError, ServerDisconnectedError

HungUp = (ClientOSError, ServerDisconnectedError)
"""After these aiohttp repeats, unless there was no connection at all (`ClientConnectorError`)."""

MayRepeat = Callable[[], bool]
"""Whether one more request may go to this vendor. It counts as gone when it may."""


class NotRepeated(Exception):  # noqa: N818  (what befell a request, not an error of ours)
    """A connection broke, and the request is not to be sent again by aiohttp.

    Not one of aiohttp's exceptions, so aiohttp lets it pass.
    """

    def __init__(self, error: aiohttp.ClientError) -> None:
        super().__init__(type(error).__name__)
        self.error = error


class Repeat:
    """A middleware of aiohttp's for one request, and the context of its tracing."""

    __slots__ = (
        "_is_first",
        "_may_repeat",
        "give_turn_back",
        "is_urgent",
        "on_used_connection",
        "waited_s",
    )

    def __init__(self, may_repeat: MayRepeat, *, is_urgent: bool = False) -> None:
        self._may_repeat = may_repeat
        self._is_first = True
        self.on_used_connection = False
        self.is_urgent = is_urgent
        self.give_turn_back: Callable[[], None] | None = None
        self.waited_s = 0.0
        """These three are for `handshakes`."""

    async def __call__(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        try:
            return await send(request)
        except HungUp as error:
            if not self._is_first or isinstance(error, ClientConnectorError):
                raise  # aiohttp repeats none of these
            self._is_first = False
            if request.method == "GET" and self.on_used_connection and self._may_repeat():
                raise  # and now it does
            raise NotRepeated(error) from error


def connection_tracing() -> aiohttp.TraceConfig:
    """For the session: tells each `Repeat` whether its request goes on a used connection."""
    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(_reused)
    return tracing


async def _reused(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _said: aiohttp.TraceConnectionReuseconnParams,
) -> None:
    context.trace_request_ctx.on_used_connection = True
