"""One id that follows a question from the pod's log to ours and into every answer."""

import random
import re
from collections.abc import Mapping
from types import MappingProxyType

from multidict import CIMultiDictProxy

HEADER = "X-Correlation-ID"
ALIAS = "X-Trace-ID"
LENGTH = 128

_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._~:/+=@-]+")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}")
"""W3C Trace Context, section 3.3.1.5: 512 characters are carried on at least; more are dropped."""


def correlation_id(headers: Mapping[str, str]) -> str:
    """The caller's id, without what could break a header or a log line; a new one if absent."""
    for name in (HEADER, ALIAS):
        if (given := headers.get(name)) and (given := _NOT_ALLOWED.sub("", given)[:LENGTH]):
            return given
    return f"{random.getrandbits(128):032x}"


_NONE: Mapping[str, str] = MappingProxyType({})


def trace_headers(headers: "CIMultiDictProxy[str]") -> Mapping[str, str]:
    """The caller's W3C Trace Context, if it is one: what travels on to the vendor.

    `tracestate` belongs to its `traceparent`; where it is bad, that goes alone.
    """
    parent = headers.get("traceparent")
    if parent is None or not _TRACEPARENT.fullmatch(parent):
        return _NONE
    state = ",".join(one.strip() for one in headers.getall("tracestate", []) if one.strip())
    return {"traceparent": parent} | ({"tracestate": state} if _TRACESTATE.fullmatch(state) else {})
