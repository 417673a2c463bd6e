"""A reply as data, and how it is put on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from adapters.simulator.encoding import encode

JSON = "application/json;charset=utf-8"
HTML = "text/html"
Part: TypeAlias = Literal["head", "body"]


@dataclass(frozen=True, slots=True)
class Drip:
    """Send in pieces, with a pause after each."""

    piece_bytes: int
    pause_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the vendor says, and in what manner it is sent."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    """Bytes after which the connection is reset."""
    drip: Drip | None = None
    part: Part = "body"
    """Where the bytes are counted from, and the drip begins; the other manners have none."""


def as_json(status: int, body: object, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply with this object, or with these bytes that are JSON already."""
    content = body if isinstance(body, bytes) else encode(body)
    return Reply(status=status, body=content, headers=headers or {})


def html(status: int, title: str) -> Reply:
    """What a web server in front of the vendor says by itself."""
    page = (
        f"<html>\r\n<head><title>{status} {title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {title}</h1></center>\r\n<hr><center>nginx</center>\r\n"
        "</body>\r\n</html>\r\n"
    )
    return Reply(status=status, body=page.encode(), content_type=HTML)


WRONG_PATH = html(404, "Not Found")


def oauth_error(status: int, error: str, **more: Any) -> Reply:
    """RFC 6749, section 5.2."""
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = "Basic"
    return as_json(status, {"error": error, **more}, headers)
