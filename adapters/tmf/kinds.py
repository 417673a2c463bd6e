"""What kind of charge a price is. `priceType` and its relatives are free text in every version."""

import re
from enum import Enum
from functools import lru_cache

from adapters.tmf.fields import is_absent, text


class ChargeKind(Enum):
    RECURRING = "recurring"
    DISCOUNT = "discount"  # recurring where the price says how often
    SURCHARGE = "surcharge"
    ADDS_NOTHING = "adds nothing"  # one-time, usage, penalty: no part of a monthly fee
    UNSAID = "unsaid"
    UNKNOWN = "unknown"


_RECURS = r"rec+ur+(?:ing|ent)"  # the official v5 sample itself says "reccurring"
_NOUN = r"(?:charges?|prices?|fees?|rates?|payments?)?"
_LOWERS = r"(?:discount|rebate|credit|reduction)s?"
_PATTERNS = (
    (ChargeKind.RECURRING, rf"{_RECURS}{_NOUN}"),
    (ChargeKind.DISCOUNT, rf"(?:{_RECURS})?(?:price)?{_LOWERS}|{_LOWERS}{_RECURS}"),
    (ChargeKind.SURCHARGE, rf"(?:{_RECURS})?(?:surcharge|markup|uplift|increase)s?"),
    (ChargeKind.ADDS_NOTHING, rf"(?:one(?:time|off)|non?{_RECURS})(?:{_NOUN}|{_LOWERS})"),
    (ChargeKind.ADDS_NOTHING, rf"(?:usage|penalty){_NOUN}|penalties|appliedpenaltycharge"),
)


LONGEST_WORD = 64
"""Characters of a vendor's word that is remembered: it has few, and says them with every price."""


def charge_kind(value: object) -> ChargeKind:
    """The kind that a free text names, in any case, with spaces, hyphens or known misspellings."""
    if is_absent(value):
        return ChargeKind.UNSAID
    written = text(value)
    if written is None:
        return ChargeKind.UNSAID if isinstance(value, str) else ChargeKind.UNKNOWN
    return _known_kind(written) if len(written) <= LONGEST_WORD else _kind(written)


def _kind(written: str) -> ChargeKind:
    word = re.sub(r"[\s_-]+", "", written.casefold())
    return next(
        (kind for kind, pattern in _PATTERNS if re.fullmatch(pattern, word)), ChargeKind.UNKNOWN
    )


_known_kind = lru_cache(maxsize=256)(_kind)


_RAISES = re.compile(r"surcharge|mark-?up|uplift|increase")
_COSTS = re.compile(r"\b(?:fee|charge|levy|premium|supplement)s?\b")
_TAKES_OFF = re.compile(r"discount|rebate|credit|reduction|waiver|waived|free\b|\boff\b")


def hints_at_surcharge(name: object) -> bool:
    """Whether a display name speaks of raising a price, or of a cost and not of what is taken off.

    "Rural surcharge", "Paper bill fee"; not "Delivery fee waiver".
    """
    written = (text(name) or "").casefold()
    if _RAISES.search(written):
        return True
    return bool(_COSTS.search(written)) and not _TAKES_OFF.search(written)
