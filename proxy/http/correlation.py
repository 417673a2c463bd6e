"""One id that follows a question from the pod's log to ours and into every answer."""

import re
from collections.abc import Mapping
from uuid import uuid4

HEADER = "X-Correlation-ID"
ALIAS = "X-Trace-ID"
LENGTH = 128

_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._~:/+=@-]+")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def correlation_id(headers: Mapping[str, str]) -> str:
    """The caller's id, without what could break a header or a log line; a new one if absent."""
    for name in (HEADER, ALIAS):
        given = _NOT_ALLOWED.sub("", headers.get(name, ""))[:LENGTH]
        if given:
            return given
    return uuid4().hex


def traceparent(headers: Mapping[str, str]) -> str | None:
    """The W3C Trace Context of the caller, if it is one; it travels on to the vendor."""
    given = headers.get("traceparent", "")
    return given if _TRACEPARENT.fullmatch(given) else None
