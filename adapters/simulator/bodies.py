"""Bodies that no client should believe."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from adapters.simulator.reply import HTML, Reply, html

GarbageKind: TypeAlias = Literal[
    "html", "truncated", "wrong_type", "empty", "scalar", "nested", "not_utf8"
]


def _login_page(_reply: Reply) -> Reply:
    return html(200, "Please log in")


def _truncated(reply: Reply) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2] or b"[")


GARBAGE: Mapping[GarbageKind, Callable[[Reply], Reply]] = {
    "html": _login_page,
    "truncated": _truncated,
    "wrong_type": lambda reply: replace(reply, content_type=HTML),
    "empty": lambda reply: replace(reply, body=b""),
    "scalar": lambda reply: replace(reply, status=200, body=b'"OK"'),
    "nested": lambda reply: replace(reply, status=200, body=b"[" * 5_000 + b"]" * 5_000),
    "not_utf8": lambda reply: replace(reply, status=200, body=b'[{"id":"\xff\xfe"}]'),
}
"""From a good reply to one that is none."""


@lru_cache(maxsize=4)
def bomb(size_bytes: int) -> bytes:
    """Gzip of a JSON string of that many bytes."""
    return gzip.compress(b'"' + b" " * size_bytes + b'"', compresslevel=6)


def fault_object(code: int) -> dict[str, Any]:
    return {"Fault": {"Code": code, "Severity": "Error", "Message": "Subscriber session failed"}}
