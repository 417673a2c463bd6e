"""How long a period is, in months, and whether a stretch of time holds now.

Periods are free text in TMF637. Months, quarters and years are whole months; anything in days or
weeks becomes months by the year: 365 days are 12 months. What is unknown is never guessed.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from functools import lru_cache

from adapters.tmf.fields import Row, folded, instant, is_absent, is_row, one
from adapters.tmf.kinds import LONGEST_WORD
from adapters.tmf.numbers import amount

DAY = Fraction(12, 365)
"""A day, in months."""

_UNITS: Mapping[str, Fraction] = {
    **dict.fromkeys(("day", "days", "daily"), DAY),
    **dict.fromkeys(("week", "weeks", "weekly", "wk", "wks"), 7 * DAY),
    **dict.fromkeys(("fortnight", "fortnights", "fortnightly"), 14 * DAY),
    **dict.fromkeys(("month", "months", "monthly", "mth", "mths"), Fraction(1)),
    **dict.fromkeys(("quarter", "quarters", "quarterly"), Fraction(3)),
    **dict.fromkeys(("half year", "half yearly", "semi annual", "semiannual"), Fraction(6)),
    **dict.fromkeys(("semi annually", "semiannually"), Fraction(6)),
    **dict.fromkeys(("year", "years", "yearly", "yr", "yrs"), Fraction(12)),
    **dict.fromkeys(("annual", "annually", "annum"), Fraction(12)),
}
"""Not here, because each means two opposite things: bimonthly, biweekly, biannual; "m"."""
_COUNTS = {"a": "1", "an": "1", "one": "1", "two": "2", "three": "3", "four": "4", "six": "6"}
_WRITTEN = re.compile(r"(?:(\d{1,4}(?:\.\d{1,3})?) ?)?([a-z][a-z ]*)")
_ISO_8601 = re.compile(r"p(?=\d)(?:(\d{1,4})y)?(?:(\d{1,4})m)?(?:(\d{1,4})w)?(?:(\d{1,4})d)?")
_ISO_UNITS = (Fraction(12), Fraction(1), 7 * DAY, DAY)
_LONGEST_MONTHS = 1200
_PERIODS = ("recurringChargePeriod", "recurringChargePeriodType")


def months(period: object, length: object = None) -> Fraction | None:
    """The length of a period in months; `None` when it is not known.

    Takes free text ("month", "MONTHLY", "4 weeks", "per annum"), an ISO 8601 duration ("P1M"), or
    an object with an amount and units. `length` says how many of them make one period, as
    `recurringChargePeriodLength` of TMF620 does; it can't be told with a period that counts itself.
    """
    if isinstance(period, str) and length is None and len(period) <= LONGEST_WORD:
        return _known_months(period)
    return _months(period, length)


def _months(period: object, length: object = None) -> Fraction | None:
    if is_row(period):
        return months(period.get("units"), period.get("amount")) if length is None else None
    counted = _counted(period)
    if counted is None:
        return None
    count, unit = counted
    if not is_absent(length):
        times = amount(length)
        if times is None or (count != 1 and times != 1):
            return None
        count *= Fraction(times)
    found = count * unit
    return found if 0 < found <= _LONGEST_MONTHS else None


_known_months = lru_cache(maxsize=256)(_months)  # a vendor has few words, and says them each time


def charge_period(price: Row) -> Fraction | None:
    """The period of a price or an alteration, in months.

    `recurringChargePeriod` is TMF637's own, v4 and v5. `recurringChargePeriodType` and `…Length`
    are the catalog's (TMF620), which some inventories pass on; both together must agree.
    """
    length = price.get("recurringChargePeriodLength")
    written = [period for name in _PERIODS if not is_absent(period := price.get(name))]
    if len(written) == 1:
        return months(written[0], length)
    found = {months(period, length) for period in written}
    return found.pop() if len(found) == 1 else None


def states_period(price: Row) -> bool:
    """Whether a price or an alteration says anything of a period."""
    return any(not is_absent(price.get(name)) for name in _PERIODS)


def in_force(valid_for: object, now: datetime) -> bool | None:
    """Whether a `TimePeriod` holds now, its end excluded; `None` when it can't be read.

    One that is absent, or that has no start or no end, is open on that side.
    """
    if is_absent(valid_for):
        return True
    period = one(valid_for)
    if period is None:
        return None
    start, end = period.get("startDateTime"), period.get("endDateTime")
    starts, ends = instant(start), instant(end)
    if (starts and starts > now) or (ends and ends <= now):
        return False
    readable = (starts or is_absent(start)) and (ends or is_absent(end))
    return True if readable else None


def _counted(period: object) -> tuple[Fraction, Fraction] | None:
    """How many of which unit, in months."""
    written = folded(period)
    if written is None:
        return None
    duration = _ISO_8601.fullmatch(written)
    if duration:
        return _iso(duration.groups())
    plain = re.sub(r"[\s_-]+", " ", re.sub(r"^(?:per|every|each|/)\s*", "", written))
    first, _, rest = plain.partition(" ")
    if rest and first in _COUNTS:
        plain = f"{_COUNTS[first]} {rest}"
    match = _WRITTEN.fullmatch(plain.removeprefix("calendar "))
    unit = _UNITS.get(match[2]) if match else None
    return (Fraction(match[1] or 1), unit) if match and unit else None


def _iso(counts: tuple[str | None, ...]) -> tuple[Fraction, Fraction]:
    """P1Y6M is 18 months; one unit alone stays a count of it."""
    given = [
        (Fraction(count), unit)
        for count, unit in zip(counts, _ISO_UNITS, strict=True)
        if count is not None
    ]
    if len(given) == 1:
        return given[0]
    return sum((count * unit for count, unit in given), Fraction(0)), Fraction(1)
