"""What a Redis says is not trusted: its claims are looked at before anybody acts on them.

hiredis reserves memory for as many elements as the first line of a list claims. Fifteen bytes from
a server that lies would hold up the event loop for seconds when that memory is given back.
"""

from typing import Any

from redis import exceptions
from redis._parsers.hiredis import _AsyncHiredisParser

MOST_ELEMENTS = 20_000
"""Of a list. The names of one read are far fewer; so are the slots of a cluster."""
MOST_BYTES = 1 << 20
"""Of one value. An entry has some hundred."""
MOST_LINE = 1 << 16
"""Bytes of anything that has no length of its own."""

_LISTS = frozenset(b"*~>%|")
_STRINGS = frozenset(b"$=!")
_END = b"\r\n"
_WORTH_IT = 4
"""Strings of one length that may follow one another."""
_TRIES = 8
"""To find such ones in a piece: who sends what only looks like them gains no time of ours."""


class Claims:
    """Follows a stream of RESP replies, in whatever pieces it comes, by lines and lengths alone."""

    __slots__ = ("_begun", "_skip")

    def __init__(self) -> None:
        self._begun = b""
        """Of a line whose end has not come."""
        self._skip = 0
        """Bytes of a value that are still to come, its line end included."""

    def look(self, data: bytes) -> None:
        """Raises `ValueError` for a claim beyond the limits, or one that is no number."""
        at, self._begun = self._skip, self._begun + data
        data, size = self._begun, len(self._begun)
        find, tries = data.find, _TRIES
        while at < size:
            end = find(_END, at)
            if end < 0:
                break
            kind = data[at]
            start, at = at + 1, end + 2
            if kind in _STRINGS:
                length = _limited(data[start:end], MOST_BYTES) + 2
                value_at, at = at, at + length
                if tries:
                    tries -= 1
                    at = _after_all_like_it(data, start - 1, value_at, at)
            elif kind in _LISTS:
                _limited(data[start:end], MOST_ELEMENTS)
        self._skip = max(0, at - size)
        self._begun = data[at:]
        if len(self._begun) > MOST_LINE:
            raise ValueError("a line without an end")


class WaryParser(_AsyncHiredisParser):
    """redis-py's own, which refuses what claims too much."""

    def __init__(self, socket_read_size: int) -> None:
        super().__init__(socket_read_size)
        self._claims = Claims()

    def on_connect(self, connection: object) -> None:
        super().on_connect(connection)  # type: ignore[no-untyped-call]  # redis-py's is not typed
        self._claims = Claims()

    async def read_from_socket(self) -> bool:
        data = await self._stream.read(self._read_size) if self._stream is not None else b""
        if not data:
            raise exceptions.ConnectionError("the connection was closed")
        try:
            self._claims.look(data)
        except ValueError:
            raise exceptions.InvalidResponse("it claims too much") from None
        reader: Any = self._reader  # made on connecting, which redis-py's types miss
        reader.feed(data)
        return True


def _after_all_like_it(data: bytes, begin: int, value_at: int, end: int) -> int:
    """Where the strings end that follow one another from `begin` on and are as long as the first.

    Sealed entries are, as a rule. They are told by the first of their bytes alone, column by
    column, so that hundreds take no longer than a few.
    """
    step = end - begin
    whole = (len(data) - begin) // step if step > 0 else 0
    if whole < _WORTH_IT:
        return end
    for column in range(begin, value_at):
        found = data[column : begin + whole * step : step]
        if found != data[column : column + 1] * whole:
            return end
    return begin + whole * step


def _limited(claim: bytes, most: int) -> int:
    """-2 stands for nothing at all, which has not even a line end."""
    number = int(claim)
    if number > most:
        raise ValueError("more than is ever asked for")
    return -2 if number < 0 else number
