"""How long a stretch of a bill is, when it was written as two moments.

`periodCoverage` of TMF678 runs from a first to a last moment. Vendors end it a second, a
millisecond or nothing before midnight, in their own time zone or in UTC. So both ends go to the
nearest midnight, and the last day is tried as the day after the stretch and as part of it.
"""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from adapters.tmf.fields import instant, one
from adapters.tmf.periods import DAY

_HALF_A_DAY = timedelta(hours=12)
_CYCLES_OF_WEEKS = (7, 14, 28)
_LONGEST_MONTHS = 36


@dataclass(frozen=True, slots=True)
class Coverage:
    """A stretch of whole days."""

    start: date
    end: date
    """The day after its last one."""
    months: Fraction | None
    """Its length: whole months, or 1, 2 or 4 weeks. `None` for a part of a period, as the first
    and the last of a contract often are. 0 for a moment, as a one-time charge has."""


def coverage(period: object) -> Coverage | None:
    """The stretch of a `TimePeriod` that has both ends; `None` when it has not."""
    written = one(period)
    if written is None:
        return None
    start, end = instant(written.get("startDateTime")), instant(written.get("endDateTime"))
    if start is None or end is None or end < start:
        return None
    first, last = nearest_day(start), nearest_day(end)
    if start == end:
        return Coverage(first, last, Fraction(0))
    return _measured(first, last)


def nearest_day(moment: datetime) -> date:
    """The day that begins at the midnight next to a moment."""
    try:
        return (moment + _HALF_A_DAY).date()
    except OverflowError:
        return moment.date()


def _measured(first: date, last: date) -> Coverage:
    try:
        ends = (last, last + timedelta(days=1))
    except OverflowError:
        ends = (last, last)
    for end in ends:
        count = _whole_months(first, end)
        if count:
            return Coverage(first, end, Fraction(count))
    for end in ends:
        if (end - first).days in _CYCLES_OF_WEEKS:
            return Coverage(first, end, (end - first).days * DAY)
    return Coverage(first, last, None)


def _whole_months(first: date, end: date) -> int | None:
    """The number of calendar months between two days, if it is a whole one."""
    count = (end.year - first.year) * 12 + end.month - first.month
    days_of_month = calendar.monthrange(end.year, end.month)[1]
    is_whole = end.day == min(first.day, days_of_month)
    return count if is_whole and 0 < count <= _LONGEST_MONTHS else None
