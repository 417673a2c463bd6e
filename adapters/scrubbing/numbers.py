"""Numbers that speak for themselves: by their check digits, their length, or how they begin."""

import re
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address

from adapters.scrubbing.checks import iban_length, passes_luhn, passes_mod_97
from adapters.scrubbing.kinds import Kind
from adapters.scrubbing.spans import Span

_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}")
_IBAN_REST = re.compile(r"(?:[ -]?[A-Za-z0-9]){1,31}")
_CARD = re.compile(r"(?<![\w.+-])[2-6][0-9]{3}(?:[ -]?[0-9]){9,15}(?![\w-])(?!\.[0-9])")
_FIFTEEN = re.compile(r"(?<![^\W_])(?<![.+])[0-9]{15}(?![^\W_])(?![.:][0-9])")
_PLUS = re.compile(
    r"(?<![0-9+])\+[1-9][0-9]{0,2}(?:[ -]?\(0?[0-9]{1,4}\))?(?:[ .-]?[0-9]{1,12}){1,6}"
)
_DOUBLE_ZERO = re.compile(r"(?<![\w.+:-])00[1-9][0-9]{8,12}(?![\w-])(?![.:][0-9])")
_NATIONAL = re.compile(
    r"(?<![\w.+:-])(?:\(0[1-9][0-9]{1,4}\)|0[1-9][0-9]{1,4})[ -]?[0-9]{3,4}[ -]?[0-9]{3,4}"
    r"(?![\w-])(?![.:][0-9])"
)
_UK_BARE = re.compile(r"(?<![\w.+:-])44[1237][0-9]{9}(?![\w-])(?![.:][0-9])")
_IPV4 = re.compile(r"(?<![\w.+-])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w-])(?!\.[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:\.[0-9.]{1,12})?(?![\w:])")
_VERSION = re.compile(
    r"(?:\bv|versions?|release|build|image|agent|chart)[ :=/]{0,2}$", re.IGNORECASE
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[^0-9]+")
_LEAST, _MOST = 8, 15
"""Digits of a number with its country code (E.164, section 6)."""


def ibans(text: str) -> Iterator[Span]:
    for begin in _IBAN_START.finditer(text):
        wanted = iban_length(begin.group()[:2])
        rest = _IBAN_REST.match(text, begin.end())
        if wanted is None or rest is None:
            continue
        end = _after(text, begin.start(), wanted, rest.end())
        if end is None or (end < len(text) and text[end].isalnum()):
            continue
        bare = "".join(one for one in text[begin.start() : end] if one.isalnum())
        if bare.isascii() and passes_mod_97(bare):
            yield Span(begin.start(), end, Kind.IBAN)


def _after(text: str, start: int, wanted: int, limit: int) -> int | None:
    """Behind so many letters and digits; `None`: there are not as many before the limit."""
    for at in range(start, limit):
        wanted -= text[at].isalnum()
        if not wanted:
            return at + 1
    return None


def cards(text: str) -> Iterator[Span]:
    for match in _CARD.finditer(text):
        digits = _DIGITS.sub("", match.group())
        if _is_issued(digits) and passes_luhn(digits) and len(set(digits)) > 1:
            yield Span(match.start(), match.end(), Kind.CARD_NUMBER)


def _is_issued(digits: str) -> bool:
    """Of a length that such cards have: of fifteen digits only those that begin with 34 or 37."""
    match len(digits):
        case 14:
            return digits.startswith(("30", "36", "38", "39"))
        case 15:
            return digits.startswith(("34", "37"))
    return len(digits) >= 16


def imsis(text: str) -> Iterator[Span]:
    """Fifteen digits that begin with a mobile country code (E.212: 2 to 7, and test networks)."""
    for match in _FIFTEEN.finditer(text):
        if "2" <= match.group()[0] <= "7" or match.group().startswith(("001", "901", "999")):
            yield Span(match.start(), match.end(), Kind.IMSI)


def phones(text: str) -> Iterator[Span]:
    for match in _PLUS.finditer(text):
        written = match.group()
        end = match.end()
        if _follows_on(text, end) or _DATE.search(written) or _mixes(written):
            continue
        if _LEAST <= len(_DIGITS.sub("", written)) <= _MOST:
            yield Span(match.start(), end, Kind.MSISDN)
    for pattern in (_DOUBLE_ZERO, _NATIONAL, _UK_BARE):
        for match in pattern.finditer(text):
            if len(_DIGITS.sub("", match.group())) >= 10:
                yield Span(match.start(), match.end(), Kind.MSISDN)


def _mixes(written: str) -> bool:
    """Dots beside other separators are decimals, and not a way to write a phone number."""
    return "." in written and (" " in written or "-" in written or written.count(".") == 1)


def _follows_on(text: str, end: int) -> bool:
    return end < len(text) and (text[end].isalnum() or text[end] in "_%")


def addresses(text: str) -> Iterator[Span]:
    """IPv4 and IPv6. A machine's own address (loopback, unspecified) is nobody's."""
    for match in _IPV4.finditer(text):
        before = text[max(0, match.start() - 12) : match.start()]
        if _is_somebodys(match.group()) and not _VERSION.search(before):
            yield Span(match.start(), match.end(), Kind.IPV4)
    for match in _IPV6.finditer(text):
        written = match.group().rstrip(".")
        if written.endswith(":") and not written.endswith("::"):
            written = written[:-1]
        has_digit = any(one.isdigit() for one in written)
        if written.count(":") > 1 and has_digit and _is_somebodys(written, IPv6Address):
            yield Span(match.start(), match.start() + len(written), Kind.IPV6)


def _is_somebodys(written: str, kind: type | None = None) -> bool:
    try:
        address = ip_address(written)
    except ValueError:
        return False
    is_asked_for = kind is None or isinstance(address, kind)
    return is_asked_for and not (address.is_loopback or address.is_unspecified)
