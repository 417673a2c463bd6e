"""Reads the fields of a vendor's JSON, whatever is in them.

TM Forum fields are optional, and arrive as `null`, as an empty string, as one thing where a list
is declared, or as a list of one where a thing is. All of these have a clear meaning. What has
none is told apart from what is absent.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TypeAlias, TypeGuard

Row: TypeAlias = Mapping[str, object]

_EMPTIABLE = (str, list, dict)  # a tuple: `str | list | dict` would be made with each question
_WHOLE = (Decimal, int)
_LONGEST_ID = 40
"""Digits; what is longer, such as 1E+999999, is no id."""


def is_absent(value: object) -> bool:
    """`null`, an empty string, an empty list or an empty object."""
    return not value and (value is None or isinstance(value, _EMPTIABLE))


def is_same(one_value: object, other: object) -> bool:
    """Whether two values are equal. Nothing equals what holds a signalling NaN."""
    try:
        return one_value == other
    except InvalidOperation:
        return False


def is_row(value: object) -> TypeGuard[Row]:
    return isinstance(value, dict)


def entries(value: object) -> Sequence[object] | None:
    """The elements of a list; one object stands for a list of it. `None`: it is neither."""
    if isinstance(value, list):
        return value or ()
    if is_absent(value):
        return ()
    return (value,) if is_row(value) else None


def one(value: object) -> Row | None:
    """An object, also out of a list that holds only it; `None` when it is anything else."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, dict) else None


def text(value: object) -> str | None:
    """Trimmed text; `None` where there is none."""
    return (value.strip() or None) if isinstance(value, str) else None


def folded(value: object) -> str | None:
    """Text for comparison: trimmed and case-folded."""
    return (value.strip().casefold() or None) if isinstance(value, str) else None


def identifier(value: object) -> str | None:
    """An id, which vendors write as text or as a whole number: a cable account has 16 digits."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, _WHOLE):
        return None
    number = Decimal(value)
    if not number.is_finite() or number.adjusted() >= _LONGEST_ID:
        return None
    return str(int(number)) if number == number.to_integral_value() else None


def reference_id(value: object) -> str | None:
    """The id of what a reference points to: `{"id": …}`, or the bare id."""
    if value is None:
        return None
    reference = one(value)
    return identifier(value if reference is None else reference.get("id"))


def instant(value: object) -> datetime | None:
    """An ISO 8601 date and time, without a zone taken as UTC; `None` when it is unreadable."""
    written = text(value)
    try:
        moment = datetime.fromisoformat(written) if written else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
