"""What is found by how it is written: addresses of mail, money, secrets, people with a title."""

import re
from collections.abc import Iterator

from adapters.scrubbing.kinds import Kind
from adapters.scrubbing.spans import BLANK, Span

_CODES = (
    "AED|ARS|AUD|BDT|BGN|BHD|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|GHS|HKD|HRK|HUF|IDR|ILS|"
    "INR|ISK|JPY|KES|KRW|KWD|LKR|MXN|MYR|NGN|NOK|NZD|OMR|PHP|PKR|PLN|QAR|RSD|RUB|SAR|SEK|SGD|THB|"
    "TWD|TZS|UAH|UGX|USD|VND|XAF|XOF|ZAR"
)
"""ISO 4217, without codes that are English words (`ALL`, `TRY`, `TOP`, `RON` …)."""
_SIGN = r"(?:US|A|C|NZ|HK|S)?[£$€¥₹₦₩₽₺₴]"
_FIGURE = r"-?[0-9]{1,15}(?:[ .,'’\u00a0\u202f][0-9]{3}){0,6}(?:[.,][0-9]{1,4})?"
_SCALE = r"(?:[ ]?(?:million|billion|mn|bn|[km])\b)?"
_BEFORE = re.compile(
    rf"(?:{_SIGN}|(?<![A-Za-z0-9])(?:{_CODES}))[  ]?{_FIGURE}{_SCALE}(?![A-Za-z0-9_])",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"(?<![\w.,:-]){_FIGURE}{_SCALE}[ \u00a0]?(?:{_SIGN}|(?:{_CODES}|euros?|pounds|dollars|pence|"
    r"cents|quid|francs|kronor|kroner)(?![A-Za-z0-9_]))",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    r"(?<![A-Za-z])(?:fee|charge|price|bill|balance|amount)s?(?: (?:is|of|was|at|to|now)){0,2} "
    r"([0-9]{1,9}[.,][0-9]{2})(?![\w.,])",
    re.IGNORECASE,
)
_AT = re.compile(r"@")
_LOCAL = re.compile(r"[^\s@<>\"'(),:;\[\]\\" + BLANK + r"]{1,64}$")
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,63}")
_BEARER = re.compile(r"(?<![A-Za-z])(?:Bearer|Basic) ([A-Za-z0-9._~+/-]{8,4096}=*)", re.IGNORECASE)
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]{5,4096}(?:\.[\w-]{0,4096}){1,4}")
_LOGIN = re.compile(r"://([^\s/@:" + BLANK + r"]{0,256}:[^\s/@" + BLANK + r"]{1,256})@")
_TITLE = re.compile(r"(?<!\w)(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Dear)\.?[ ]")
WORD = r"[^\W\d_](?:[^\W\d_]|['’-](?=[^\W\d_])){0,40}\.?"
_WORDS = re.compile(rf"{WORD}(?:[ ]{WORD}){{0,3}}")
_SALUTED = frozenset({"Sir", "Madam", "Customer", "All", "Team", "Colleague", "Colleagues"})


def mails(text: str) -> Iterator[Span]:
    for at in _AT.finditer(text):
        local = _LOCAL.search(text, max(0, at.start() - 64), at.start())
        host = _HOST.match(text, at.end())
        if local and host:
            yield Span(local.start(), host.end(), Kind.EMAIL)


def secrets(text: str) -> Iterator[Span]:
    for pattern in (_BEARER, _LOGIN):
        for match in pattern.finditer(text):
            yield Span(match.start(1), match.end(1), Kind.SECRET)
    for match in _JWT.finditer(text):
        yield Span(match.start(), match.end(), Kind.SECRET)


def amounts(text: str) -> Iterator[Span]:
    for pattern in (_BEFORE, _AFTER):
        for match in pattern.finditer(text):
            yield Span(match.start(), match.end(), Kind.BILLING_AMOUNT)
    for match in _SPOKEN.finditer(text):
        yield Span(match.start(1), match.end(1), Kind.BILLING_AMOUNT)


def titled(text: str) -> Iterator[Span]:
    for title in _TITLE.finditer(text):
        end = name_end(text, title.end())
        if end is not None and text[title.end() : end] not in _SALUTED:
            yield Span(title.end(), end, Kind.SUBSCRIBER_NAME)


def name_end(text: str, start: int) -> int | None:
    """Where a name that begins here ends: its words begin with a capital, if their script has any.

    `None`: no name begins here.
    """
    words = _WORDS.match(text, start)
    end = None
    if words is not None:
        for word in re.finditer(WORD, words.group()):
            is_small = word.group()[0].islower()
            if is_small and (end is None or word.group() not in _PARTICLES):
                break
            if not is_small:
                end = start + word.end()
                if text[end - 1] == "." and word.end() - word.start() > 3:
                    return end - 1  # the end of a sentence, and no initial
    return end


_PARTICLES = frozenset(
    {"de", "da", "di", "del", "der", "den", "van", "von", "bin", "al", "la", "y"}
)
