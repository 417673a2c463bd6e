"""The answer to a question, head and content in one write.

It is the one answer that is given thousands of times a second, and its head never holds more than
what is here: aiohttp's own response, made for any head and any content, takes longer to write it
than the cache takes to find what it says. Other answers, and other ways to be asked (HTTP/1.0,
`HEAD`, a connection that closes), are left to aiohttp.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.helpers import rfc822_formatted_time

from proxy.http import SERVER, correlation

JSON = "application/json"
_ALIKE = (
    f"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nServer: {SERVER}\r\n"
    f"Content-Type: {JSON}\r\n"
)


@dataclass(slots=True)
class Reply:
    """200, with JSON that is personal data."""

    content: bytes = field(repr=False)
    headers: Mapping[str, str]
    """Made by us: nothing in them can end a line."""


def in_one_piece(reply: Reply, correlation_id: str, timing: str) -> bytes:
    """As it is written on a connection of HTTP/1.1 that stays."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in reply.headers.items()])
    head = (
        f"HTTP/1.1 200 OK\r\n{lines}{_ALIKE}"
        f"{correlation.HEADER}: {correlation_id}\r\nServer-Timing: {timing}\r\n"
        f"Content-Length: {len(reply.content)}\r\nDate: {rfc822_formatted_time()}\r\n\r\n"
    )
    return head.encode() + reply.content


def as_response(reply: Reply) -> web.Response:
    """The same, to be written by aiohttp."""
    return web.Response(body=reply.content, content_type=JSON, headers=reply.headers)
