"""What stands behind a label: `msisdn=…`, `"plan_name": "…"`, `Customer: …`, `account no. …`."""

import re
from collections.abc import Iterator

from adapters.scrubbing.fields import is_harmless, kind_of
from adapters.scrubbing.kinds import Kind
from adapters.scrubbing.spans import BLANK, Span
from adapters.scrubbing.words import name_end

_SEPARATOR = re.compile(r"(?<=[\w\"'\]\\. ])(?::|=)")
_REACH = 48
"""Characters before a separator in which its label is looked for."""
_LABEL = re.compile(
    r"((?:[A-Za-z][\w-]{0,40}[ .]){0,2}[A-Za-z][\w-]{0,40})[.\"'\\\]]{0,3}[ ]{0,2}$"
)
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_SPACE = r"[ \t]{0,4}"
_QUOTED = re.compile(
    _SPACE + r"\\?(?:\"((?:[^\"\\\n]|\\.){1,4096}?)\\?\""
    r"|'((?:[^'\\\n]|\\.|(?<=\w)'(?=\w)){1,4096}?)'(?!\w))"
)
_LISTED = re.compile(_SPACE + r"([\[({][^\[\](){}]{1,65536}[\])}])")
_CALLED = re.compile(_SPACE + r"[A-Za-z_]{1,32}\(['\"]?([^()'\"\n]{1,256})['\"]?\)")
_NUMBER = re.compile(_SPACE + r"([+(]{0,2}[0-9][0-9 ().-]{2,30}[0-9])(?![\w])")
_TOKEN = re.compile(_SPACE + r"([^\s,;(){}\[\]\"'" + BLANK + r"]{1,4096})")
_AUTHORIZATION = re.compile(
    _SPACE + r"((?:Bearer|Basic|Digest)[ ][^\s,;" + BLANK + r"]{1,4096})", re.IGNORECASE
)
_PHRASE = re.compile(
    _SPACE + r"([^\s,;(){}\[\]\"'|=:" + BLANK + r"][^,;(){}\[\]\"'|=:\n" + BLANK + r"]{0,60})"
)
_SPACES = re.compile(_SPACE)
_IDS_OF = re.compile(
    r"(?<![A-Za-z_-])(?:customer|subscriber|client|account|user)s?(?:[ _-]?(?:uu)?ids?)?[ #]{1,3}"
    rf"({_UUID}(?:(?:,| and|;)? ?{_UUID}){{0,2000}})",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"(?<![A-Za-z_-])(?:account|acct|a/c)(?:[ ]?(?:number|num|no|nr|ref|id))?\.?[ ]?[:#]?[ ]{0,2}"
    r"((?:[A-Z]{1,4}-?)?[0-9][0-9-]{3,18}[0-9])(?![\w])(?!\.[0-9])",
    re.IGNORECASE,
)
_SORT_CODE = re.compile(r"sort code[ :]{1,3}([0-9]{2}-?[0-9]{2}-?[0-9]{2})(?![\w-])", re.IGNORECASE)
_PHONE = re.compile(
    r"(?<![A-Za-z_-])(?:msisdn|phone|mobile|tel|telephone|fax|caller|called|calling)"
    r"(?:[ ]?(?:number|no))?\.?[ ]{1,2}([+(]{0,2}[0-9][0-9 ()-]{5,20}[0-9])(?![\w])",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"(?<![A-Za-z])(?:imei|iccid|eid)[ :#]{1,3}([0-9]{14,22})(?!\w)", re.IGNORECASE
)
_IMSI = re.compile(r"(?<![A-Za-z])imsi[ :#]{1,3}([0-9]{6,15})(?!\w)", re.IGNORECASE)
_NOTHING = re.compile(r"(?:none|null|nil|true|false|unknown|n/a|-+|\*+|\.\.\.)\W?", re.IGNORECASE)
_DIGIT = re.compile(r"[0-9]")
_PLAIN_WORD = re.compile(r"[A-Za-z]{1,24}[.!?]?")
_SPOKEN = (
    (_IDS_OF, Kind.CUSTOMER_ID), (_DEVICE, Kind.DEVICE_ID), (_IMSI, Kind.IMSI),
    (_ACCOUNT, Kind.ACCOUNT_NUMBER), (_SORT_CODE, Kind.ACCOUNT_NUMBER), (_PHONE, Kind.MSISDN),
)  # fmt: skip
_BARE = frozenset({"name", "contact", "user name", "display name"})
"""Labels that say nothing of a person unless they begin a line."""
_WRITTEN_IN_WORDS = frozenset({Kind.PLAN_NAME, Kind.PERSONAL})
_WRITTEN_IN_GROUPS = frozenset({Kind.MSISDN, Kind.CARD_NUMBER, Kind.ACCOUNT_NUMBER, Kind.IMSI})


def labelled(text: str) -> Iterator[Span]:
    """Behind `:` or `=`."""
    reach = 0
    for separator in _SEPARATOR.finditer(text):
        if separator.start() < reach:
            continue
        kind = _label_before(text, separator.start())
        span = None if kind is None else _value(text, separator.end(), kind)
        if span is not None:
            reach = span.end
            yield span


def spoken(text: str) -> Iterator[Span]:
    """Behind a label without `:` or `=`."""
    for pattern, kind in _SPOKEN:
        for match in pattern.finditer(text):
            yield Span(match.start(1), match.end(1), kind)


def _label_before(text: str, end: int) -> Kind | None:
    start = max(0, end - _REACH)
    label = _LABEL.search(text, start, end)
    if label is None:
        return None
    words = label.group(1).replace(".", " ").split(" ")
    for first in range(len(words)):
        name = " ".join(words[first:])
        kind = kind_of(name)
        if kind is not None:
            is_bare = name.lower() in _BARE and first > 0
            return None if is_bare else kind
    return None


def _value(text: str, at: int, kind: Kind) -> Span | None:
    number = _NUMBER.match(text, at) if kind in _WRITTEN_IN_GROUPS else None
    if number is not None:
        return _judged(number.span(1), text, kind, is_enclosed=False)
    for pattern in (_QUOTED, _LISTED, _CALLED):
        match = pattern.match(text, at)
        if match is not None:
            group = 1 if match.group(1) is not None else 2
            return _judged(match.span(group), text, kind, is_enclosed=True)
    if kind is Kind.SUBSCRIBER_NAME:
        start = _end_of(_SPACES.match(text, at), at)
        end = name_end(text, start)
        return None if end is None else _judged((start, end), text, kind, is_enclosed=True)
    patterns = [_TOKEN]
    if kind in _WRITTEN_IN_WORDS:
        patterns.insert(0, _PHRASE)
    elif kind is Kind.SECRET:
        patterns.insert(0, _AUTHORIZATION)
    match = next((found for one in patterns if (found := one.match(text, at))), None)
    return None if match is None else _judged(match.span(1), text, kind, is_enclosed=False)


def _end_of(match: re.Match[str] | None, otherwise: int) -> int:
    return otherwise if match is None else match.end()


def _judged(place: tuple[int, int], text: str, kind: Kind, *, is_enclosed: bool) -> Span | None:
    """What follows a label in prose may be a word about it: `token: refreshed`."""
    start, end = place
    value = text[start:end].rstrip()
    if not is_enclosed:
        value = value.rstrip(".:!?")
    end = start + len(value)
    if (
        not value.strip(BLANK + " [](){},'\"")
        or _NOTHING.fullmatch(value)
        or is_harmless(kind, value)
    ):
        return None
    if kind in _WRITTEN_IN_WORDS or kind is Kind.SUBSCRIBER_NAME:
        return Span(start, end, kind)
    is_word = kind is Kind.SECRET and not is_enclosed and _PLAIN_WORD.fullmatch(value)
    needs_digit = kind not in {Kind.SECRET, Kind.EMAIL}
    if is_word or (needs_digit and not _DIGIT.search(value)):
        return None
    if kind is Kind.EMAIL and "@" not in value:
        return None
    return Span(start, end, kind)
