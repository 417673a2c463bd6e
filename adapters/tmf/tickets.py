"""Whether rows of a customer say that there is an active billing dispute.

A dispute is a TMF621 trouble ticket of the dispute type, in an active state, that was opened or
changed its state within the window. Weaker signs, off unless a connection switches them on: a
TMF678 bill on hold within the window, and a disputed balance on a TMF666 account.

Each answers `True`, `False`, or `None`: a row may be a dispute, and nobody can tell.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from adapters.tmf.fields import Row, instant, is_absent, is_row
from adapters.tmf.numbers import amount
from adapters.tmf.profile import Profile
from adapters.tmf.rows import members, plain, plain_words

_OFFICIAL_STATES = plain_words(
    (
        *("acknowledged", "rejected", "pending", "held"),
        *("inProgress", "cancelled", "closed", "resolved"),
    )
)
"""`TroubleTicketStatusType` of v4 and v5."""
_CLOCK_TOLERANCE = timedelta(days=1)
"""A date that seems to be of tomorrow is of today: clocks differ, and dates come without a zone.
One that is later still is no date of anything that has happened."""
_ON_HOLD = "onhold"
_DISPUTED = "disput"  # disputed balance, disputedAmount, dispute


def any_sign(verdicts: Iterable[bool | None]) -> bool | None:
    """One sign is enough; without one, what nobody can tell leaves the whole untold."""
    told = list(verdicts)
    if True in told:
        return True
    return None if None in told else False


def is_disputed(tickets: Sequence[Row], profile: Profile, now: datetime) -> bool | None:
    """TMF621: a ticket of the dispute type, active, and recent."""
    types = plain_words(profile.dispute_ticket_types)
    return any_sign(
        _every([_is_active(ticket, profile), _is_recent(_ticket_dates(ticket), profile, now)])
        for ticket in tickets
        if types & _types(ticket)
    )


def is_bill_on_hold(bills: Sequence[Row], profile: Profile, now: datetime) -> bool | None:
    """TMF678: a bill in the state `onHold`, of the window or changed within it."""
    return any_sign(
        _is_recent([bill.get("billDate"), bill.get("lastUpdate")], profile, now)
        for bill in bills
        if _state(bill) == _ON_HOLD
    )


def is_balance_disputed(accounts: Sequence[Row]) -> bool | None:
    """TMF666: a disputed balance above zero. It has no date: it is what is disputed now."""
    return any_sign(
        _is_above_zero(balance.get("amount"))
        for account in accounts
        for balance in members(account.get("accountBalance"))
        if plain(balance.get("balanceType") or balance.get("type")).startswith(_DISPUTED)
    )


def _types(ticket: Row) -> frozenset[str]:
    """`ticketType`; v5 may say it by the ticket's specification instead."""
    specification = ticket.get("troubleTicketSpecification")
    named = specification.get("name") if is_row(specification) else None
    return frozenset({plain(ticket.get("ticketType")), plain(named)} - {""})


def _state(row: Row) -> str:
    """Official samples use `status` and `state` for each other."""
    return plain(row.get("status")) or plain(row.get("state"))


def _is_active(ticket: Row, profile: Profile) -> bool | None:
    """As long as the connection lists only official states, another word can't be told. A list
    with a vendor's own words is complete.
    """
    state, active = _state(ticket), plain_words(profile.dispute_states)
    if state in active:
        return True
    is_known = state in _OFFICIAL_STATES or (state and not active <= _OFFICIAL_STATES)
    return False if is_known else None


def _every(verdicts: Sequence[bool | None]) -> bool | None:
    """One denial is enough; without one, what nobody can tell leaves the whole untold."""
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _ticket_dates(ticket: Row) -> list[object]:
    """When it was opened, and when its state changed: v4 has the history in `statusChange`,
    v5 in `statusChangeHistory`.
    """
    changes = [
        change.get("changeDate") or change.get("statusChangeDate")
        for name in ("statusChange", "statusChangeHistory")
        for change in members(ticket.get(name))
    ]
    return [ticket.get("creationDate"), ticket.get("statusChangeDate"), *changes]


def _is_recent(dates: Sequence[object], profile: Profile, now: datetime) -> bool | None:
    """Whether one of the dates is within the window; `None` if it depends on one that can't be."""
    read = [_happened(date, now) for date in dates if not is_absent(date)]
    since = timedelta(days=profile.dispute_window_days)
    if any(date is not None and now - date <= since for date in read):
        return True
    return None if not read or None in read else False


def _happened(date: object, now: datetime) -> datetime | None:
    moment = instant(date)
    return moment if moment and moment - now <= _CLOCK_TOLERANCE else None


def _is_above_zero(money: object) -> bool | None:
    value = amount(money.get("value") if is_row(money) else money)
    return None if value is None else value > 0
