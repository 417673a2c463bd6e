"""Is what an issuer answered a token? Pure, and strict: what is unclear is not sent to a vendor.

Source: RFC 6749, sections 5.1 and 5.2; RFC 6750, section 2.1.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from adapters.outcome import LookupFailed, Reason

LONGEST_LIFE_S = 366 * 86_400
"""An issuer that promises more means something else, milliseconds or a date."""
LARGEST_TOKEN = 16 * 1024

_TOKEN = re.compile(r"[\x21-\x7e]+")
_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)


class HttpReply(Protocol):
    """A whole reply, within a cap; names of headers in lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token as issued."""

    value: str = field(repr=False)
    life_s: int


def issued_token(reply: HttpReply) -> IssuedToken:
    """The token in a reply. Raises `LookupFailed(auth)`, which says what was wrong in our words."""
    answer = _json_object(reply)
    if reply.status != 200:
        error = answer.get("error")
        known = f" {error}" if isinstance(error, str) and error in _ERRORS else ""
        raise _refused(f"HTTP {reply.status}{known}")
    kind = answer.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise _refused("token_type is not Bearer")
    return IssuedToken(_value(answer.get("access_token")), _life_s(answer.get("expires_in")))


def _json_object(reply: HttpReply) -> Mapping[str, Any]:
    """Empty for a failure without one."""
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        try:
            answer = json.loads(reply.body)
        except (ValueError, RecursionError):
            answer = None  # the exception would carry the token along
        if isinstance(answer, dict):
            return answer
    if reply.status != 200:
        return {}
    raise _refused("the reply is not a JSON object")


def _value(token: object) -> str:
    if not isinstance(token, str) or not _TOKEN.fullmatch(token) or len(token) > LARGEST_TOKEN:
        raise _refused("access_token is missing, or nothing that a header can carry")
    return token


def _life_s(expires_in: object) -> int:
    """Whole seconds. Some issuers write them as a string, which is clear enough."""
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdecimal():
        expires_in = int(expires_in[:12])
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float):
        raise _refused("expires_in is missing or not a number")
    if not 1 <= expires_in <= LONGEST_LIFE_S:
        raise _refused("expires_in is out of all measure")
    return int(expires_in)


def _refused(problem: str) -> LookupFailed:
    return LookupFailed(Reason.AUTH, f"the token endpoint: {problem}")
