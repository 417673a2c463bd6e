"""The many ways in which vendors write the same word.

TM Forum leaves most of these fields as free text, and even where it lists values, its own samples
differ from the list. A customer keeps its spelling, because the number of the customer picks it.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from adapters.simulator.population import Charge

_MONTHS: Mapping[int, Sequence[str]] = {
    1: ("month", "monthly", "MONTHLY", "1 month", "P1M", " Month "),
    3: ("quarter", "3 months", "P3M", "Quarter"),
    12: ("year", "annual", "P1Y", "12 months", "YEAR ", "Annual"),
}
_DAYS: Mapping[int, Sequence[str]] = {
    7: ("week", "WEEK", "1 week", "7 days"),
    28: ("4 weeks", "28 days", "28 Days"),
}
_RECURRING = ("recurring", "Recurring", "recurringCharge", "reccurring", "RECURRING ")
_ONE_TIME = ("oneTime", "one time", "ONE-TIME", "nonRecurring")
_USAGE = ("usage", "Usage", "usageCharge")
_CHARGED = ("active", "Active", " ACTIVE", "active ", "pendingTerminate", "suspended", "active")
_ENDED = ("terminated", "Terminated ", "cancelled", "aborted ")
_DISPUTE = ("Bill Dispute", "bill dispute", "BILL DISPUTE", "Bill Dispute ")
_CURRENCY = ("GBP", "GBP", "GBP", "gbp", "GBP ")


def _pick(words: Sequence[str], n: int) -> str:
    return words[n // 10 % len(words)]


def period(charge: Charge, n: int) -> str:
    words = _DAYS[charge.days] if charge.days else _MONTHS[charge.months]
    return _pick(words, n)


def recurring(n: int) -> str:
    return _pick(_RECURRING, n)


def one_time(n: int) -> str:
    return _pick(_ONE_TIME, n)


def usage(n: int) -> str:
    return _pick(_USAGE, n)


def charged_status(n: int) -> str:
    """A status in which a product is paid for."""
    return _pick(_CHARGED, n)


def ended_status(n: int) -> str:
    return _pick(_ENDED, n)


def dispute_type(n: int) -> str:
    return _pick(_DISPUTE, n)


def ticket_state(state: str, n: int) -> str:
    """The state as listed, capitalised as in the official samples, or with a stray space."""
    return (state, state[0].upper() + state[1:], f"{state} ")[n // 10 % 3]


def money(amount: Decimal, n: int) -> dict[str, object]:
    return {"unit": _pick(_CURRENCY, n), "value": amount}
