"""Numbers as vendors send them: as numbers, as strings, and as things that no fee can be."""

import re
from decimal import Decimal

LARGEST = Decimal(10**12)
"""No amount, rate or count of a customer is larger."""
_DIGITS = 30
"""Significant digits, and decimal places, of a number that somebody meant."""
_SHORT = 12
"""Characters of a number without an exponent that is within all of these bounds."""
_NUMERAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_LONGEST_NUMERAL = 64


def amount(value: object) -> Decimal | None:
    """The number in `value`, a Decimal, an int or a numeric string; `None` if there is none.

    NaN, infinities, exponent bombs such as 1E+999999, booleans, digit groups ("1,000") and floats
    are no numbers. A float has already lost what it was.
    """
    if isinstance(value, str):
        text = value.strip()
        meant = len(text) <= _LONGEST_NUMERAL and _NUMERAL.fullmatch(text)
        value = Decimal(text) if meant else None
    elif isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value) if abs(value) <= LARGEST else None
    return value if isinstance(value, Decimal) and _is_sane(value) else None


def _is_sane(number: Decimal) -> bool:
    """Looks at the exponent first, so that a bomb is never expanded."""
    written = str(number)
    if len(written) <= _SHORT and "E" not in written:
        return number.is_finite()
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _DIGITS:
        return False
    return -_DIGITS <= exponent <= LARGEST.adjusted() and number.copy_abs() <= LARGEST
