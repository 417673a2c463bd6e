"""From a vendor's bytes to JSON values in which nothing is unbounded. Pure.

Of a name that an object gives twice the last one stands, as in most parsers.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.outcome import LookupFailed, Reason

DEPTH = 32
NUMBER_LENGTH = 128
NUMBER_EXPONENT = 1000

_BRACES_AS_BRACKETS = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}"'))
_QUOTED = re.compile(rb'"[^"]*"?')
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one character
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one
    r"|.)",
    re.DOTALL,
)


def parse(body: bytes) -> Any:
    """The JSON in `body`, every number a `Decimal`. Raises `LookupFailed(bad_response)`.

    UTF-8, with or without a byte order mark. A number that nobody means (over 128 characters,
    beyond 1E±1000) becomes NaN, so that no arithmetic on it takes for ever; half a surrogate pair,
    which no encoder takes, becomes U+FFFD. Failures are raised outside of the handlers: a parser's
    exception carries the whole body along.
    """
    if not body.strip(b" \t\r\n"):
        raise LookupFailed(Reason.BAD_RESPONSE, "the body is empty")
    if is_nested_deeper(body, DEPTH):
        raise LookupFailed(Reason.BAD_RESPONSE, f"nested deeper than {DEPTH}, or cut short")
    try:
        return _DECODER.decode(_whole_characters(body.decode("utf-8-sig")))
    except UnicodeDecodeError:
        problem = "the body is not UTF-8"
    except json.JSONDecodeError:
        problem = "the body is not JSON"
    raise LookupFailed(Reason.BAD_RESPONSE, problem)


def is_nested_deeper(body: bytes, limit: int) -> bool:
    """Whether arrays and objects stand in each other more than `limit` times.

    It runs before the parser, which recurses, and at the speed of `bytes`: escapes go, then all
    but structure and quotes, then what is quoted; then each pass takes the innermost level away.
    Whatever does not close counts as deeper.
    """
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    bare = bare.translate(_BRACES_AS_BRACKETS, _ALL_BUT_STRUCTURE)
    bare = _QUOTED.sub(b"", bare.replace(b'""', b""))
    for _ in range(limit):
        bare = bare.replace(b"[]", b"")
    return bool(bare)


def _number(literal: str) -> Decimal:
    # A function of ours, not `Decimal` itself: the parser comes back to the interpreter for each
    # number, and a thread that parses a big body lets the event loop run in between.
    if len(literal) > NUMBER_LENGTH:
        return Decimal("NaN")
    try:
        number = Decimal(literal)
    except InvalidOperation:
        return Decimal("NaN")
    return number if abs(number.adjusted()) <= NUMBER_EXPONENT else Decimal("NaN")


def _whole_characters(text: str) -> str:
    if not _ESCAPED_SURROGATE.search(text):
        return text
    return _ESCAPES.sub(lambda escape: "\ufffd" if escape[1] else escape[0], text)


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=Decimal)
