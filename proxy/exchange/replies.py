"""What a vendor's status and headers mean. Pure.

Source: RFC 9110, sections 10.2.3 (`Retry-After`) and 15 (status codes).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from adapters.exchange import VendorReply
from adapters.outcome import LookupFailed, Reason
from proxy.exchange import json_body

LONGEST_RETRY_AFTER_S = 3600.0
"""A vendor that wants to be left alone for longer is asked again all the same."""

_ANSWERS = frozenset({200, 204, 206, 404, 416})
_MAY_PASS = frozenset({408, 425, 429})
"""Of those below 500, which blame the request: these do not blame what is asked for."""
_MAY_LACK_JSON = frozenset({404, 416})


@dataclass(frozen=True, slots=True)
class RawReply:
    """A reply that came whole and within the cap."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    """Decompressed."""


def refusal(reply: RawReply, now: datetime) -> LookupFailed | None:
    """Why a reply is no answer; `None` when it is one."""
    status, said = reply.status, f"HTTP {reply.status}"
    if status in _ANSWERS:
        return None
    if status in {401, 403}:
        return LookupFailed(Reason.AUTH, said)
    if status == 407 or status < 400:
        return LookupFailed(Reason.BAD_RESPONSE, said)
    wait_s = _rest_s(reply.headers, now) if status in {429, 503} else None
    reason = Reason.RATE_LIMITED if status == 429 else Reason.VENDOR_ERROR
    return LookupFailed(
        reason, said, retry_after_s=wait_s, lasting=status < 500 and status not in _MAY_PASS
    )


def answer(reply: RawReply) -> VendorReply:
    """A reply that `refusal` let pass. Raises `LookupFailed(bad_response)`.

    What a 404 or a 416 without JSON means is the adapter's to say: it gets `None` for a body.
    """
    return VendorReply(reply.status, reply.headers, _body(reply))


def _body(reply: RawReply) -> Any:
    if reply.status == 204:
        return None
    try:
        check_content_type(reply.headers.get("content-type", ""))
        return json_body.parse(reply.body)
    except LookupFailed:
        if reply.status in _MAY_LACK_JSON:
            return None
        raise


def check_content_type(content_type: str) -> None:
    """Raises `LookupFailed(bad_response)` unless it is JSON in UTF-8 (RFC 8259, section 8.1)."""
    if problem := _content_problem(content_type):
        raise LookupFailed(Reason.BAD_RESPONSE, problem)


@lru_cache(maxsize=64)  # a vendor says the same each time, and parsing it costs 40 µs
def _content_problem(content_type: str) -> str | None:
    header = Message()
    header["Content-Type"] = content_type
    kind = header.get_content_type() if content_type else ""
    if kind != "application/json" and not re.fullmatch(r"application/.+\+json", kind):
        return "the content type is not JSON"
    if (header.get_content_charset() or "utf-8") not in {"utf-8", "utf8", "us-ascii"}:
        return "the charset is not UTF-8"
    return None


def _rest_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """A date is read by the clock of whoever wrote it, which `Date` shows; ours may differ."""
    by_the_vendor = _moment(headers.get("date", ""))
    return retry_after_s(headers.get("retry-after"), by_the_vendor or now)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds from `now`, 0 to an hour; `None` when nothing readable is said."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_RETRY_AFTER_S)
    moment = _moment(text)
    if moment is None:
        return None
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER_S)


def _moment(text: str) -> datetime | None:
    """An HTTP date; `None` when it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
