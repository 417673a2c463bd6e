"""From a vendor's bytes to JSON values in which nothing is unbounded. Pure.

Of a name that an object gives twice the last one stands, as in most parsers.
"""

import json
import re
from codecs import BOM_UTF8
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.outcome import LookupFailed, Reason

DEPTH = 32
VALUES = 200_000
"""A thousand rows have a fifth of it. What has more is no page of a list, and to make, read and
free its values would keep the event loop for longer than a question may take."""
NUMBER_LENGTH = 128
NUMBER_EXPONENT = 1000

_BRACES_AS_BRACKETS = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_STRUCTURE = bytes(set(range(256)) - set(b'[]{}",'))
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
    bare = structure(body)
    if len(bare) > VALUES:
        raise LookupFailed(Reason.BAD_RESPONSE, f"more than {VALUES} values")
    if is_nested_deeper(bare, DEPTH):
        raise LookupFailed(Reason.BAD_RESPONSE, f"nested deeper than {DEPTH}, or cut short")
    try:
        return _DECODER.decode(_whole_characters(body.removeprefix(BOM_UTF8).decode()))
    except UnicodeDecodeError:
        problem = "the body is not UTF-8"
    except json.JSONDecodeError:
        problem = "the body is not JSON"
    raise LookupFailed(Reason.BAD_RESPONSE, problem)


def structure(body: bytes) -> bytes:
    """The brackets of arrays and objects, and their commas: about one byte for each value.

    At the speed of `bytes`: escapes go, then all but structure and quotes, then what is quoted.
    """
    bare = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    bare = bare.translate(_BRACES_AS_BRACKETS, _ALL_BUT_STRUCTURE)
    return _QUOTED.sub(b"", bare.replace(b'""', b""))


def is_nested_deeper(structure: bytes, limit: int) -> bool:
    """Whether arrays and objects stand in each other more than `limit` times.

    It runs before the parser, which recurses: each pass takes the innermost level away. Whatever
    does not close counts as deeper.
    """
    bare = structure.replace(b",", b"")
    for _ in range(limit):
        if not bare:
            return False
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
    if "\\u" not in text or not _ESCAPED_SURROGATE.search(text):
        return text
    return _ESCAPES.sub(lambda escape: "\ufffd" if escape[1] else escape[0], text)


_DECODER = json.JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=Decimal)
