"""What was learned of a customer, as few bytes, and back. Nothing is rounded or guessed.

The first byte is the kind. `Missing` and a dispute are that byte alone. Billing is kind | which of
its parts are known, then the parts that are: account id (16 bytes), fee and currency (a byte of
length, then ASCII or UTF-8), and the name of the plan, which takes the rest.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, TypeAlias
from uuid import UUID

from adapters.outcome import Billing, Dispute, Found, Missing
from adapters.uuids import LENGTH, uuid_of_bytes

Kept: TypeAlias = Found[Billing] | Found[Dispute] | Missing

LONGEST_PLAN_BYTES = 4096
_LONGEST_TEXT_BYTES = 255

_new = object.__new__
_set_value, _set_stale = (Found.__dict__[slot].__set__ for slot in ("value", "stale"))
_set_account_id, _set_plan_name, _set_monthly_fee, _set_currency = (
    Billing.__dict__[slot].__set__
    for slot in ("account_id", "plan_name", "monthly_fee", "currency")
)

_MISSING = 0x01
_NO_DISPUTE = 0x02
_DISPUTE = 0x03
_BILLING = 0x10
_ACCOUNT = 0x01
_FEE = 0x02
_CURRENCY = 0x04
_PLAN = 0x08

ALL_PARTS: Final = _BILLING | _ACCOUNT | _FEE | _CURRENCY | _PLAN
"""The kind of a billing of which all is known."""
BEFORE_FEE: Final = 1 + LENGTH
"""Bytes of such a one: its kind, and the account."""
REMEMBERED_PRICES = 4096

_NOBODY = Missing()
_OF_MISSING = bytes([_MISSING])
_OF_A_PRICE = bytes([_BILLING | _FEE | _CURRENCY])
_OF_NO_DISPUTE = bytes([_NO_DISPUTE])
_OF_DISPUTE = bytes([_DISPUTE])
_OF_A_DISPUTE: Mapping[bytes, Found[Dispute] | Missing] = {
    _OF_NO_DISPUTE: Found(Dispute(active=False)),
    _OF_DISPUTE: Found(Dispute(active=True)),
    _OF_MISSING: _NOBODY,
}


def encode(kept: Kept) -> bytes:
    """Raises `ValueError` of what is not to be kept: past its life, endless, or no amount."""
    if kept.stale:
        raise ValueError("what is past its life is not kept again")
    if isinstance(kept, Missing):
        return _OF_MISSING
    if isinstance(kept.value, Dispute):
        return _OF_DISPUTE if kept.value.active else _OF_NO_DISPUTE
    return _encode_billing(kept.value)


def decode_billing(plain: bytes) -> Found[Billing] | Missing:
    """Raises `ValueError`, in words of ours, of what `encode` did not make of a billing."""
    if plain == _OF_MISSING:
        return _NOBODY
    if not plain or plain[0] & 0xF0 != _BILLING:
        raise ValueError("not what is known of a billing")
    try:
        found = _found_billing(plain)
    except (ValueError, IndexError, InvalidOperation):
        found = None  # the exceptions of those who read hold what was read
    if found is None:
        raise ValueError("what is known of a billing cannot be read")
    return found


@lru_cache(maxsize=REMEMBERED_PRICES)
def price(fee_and_currency: bytes) -> Found[Billing] | None:
    """Of a billing what adds up, from how it is written: each with its length before it. `None`:
    `encode` has not written that.

    Many pay the same, so prices are remembered: a price by itself says nothing of anybody.
    """
    try:
        return _found_billing(_OF_A_PRICE + fee_and_currency)
    except (ValueError, IndexError, InvalidOperation):
        return None


def decode_dispute(plain: bytes) -> Found[Dispute] | Missing:
    """Raises `ValueError`, in words of ours, of what `encode` did not make of a dispute."""
    known = _OF_A_DISPUTE.get(plain)
    if known is None:
        raise ValueError("not what is known of a dispute")
    return known


def _encode_billing(billing: Billing) -> bytes:
    kind = _BILLING
    parts = [b""]
    if billing.account_id is not None:
        kind |= _ACCOUNT
        parts.append(billing.account_id.bytes)
    if billing.monthly_fee is not None:
        if not billing.monthly_fee.is_finite():
            raise ValueError("a fee is no amount")
        kind |= _FEE
        parts += _with_length(str(billing.monthly_fee))
    if billing.currency is not None:
        kind |= _CURRENCY
        parts += _with_length(billing.currency)
    if billing.plan_name is not None:
        kind |= _PLAN
        parts.append(_bytes_of(billing.plan_name, LONGEST_PLAN_BYTES))
    parts[0] = bytes([kind])
    return b"".join(parts)


def _with_length(text: str) -> tuple[bytes, bytes]:
    encoded = _bytes_of(text, _LONGEST_TEXT_BYTES)
    return bytes([len(encoded)]), encoded


def _bytes_of(text: str, most: int) -> bytes:
    """JSON may hold halves of a surrogate pair; they are kept as they came."""
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) > most:
        raise ValueError("a text is too long to be kept")
    return encoded


def _found_billing(plain: bytes) -> Found[Billing]:
    """In one go: a batch reads hundreds, and each call in here would cost as much as a part."""
    kind, at = plain[0], 1
    account_id = fee = currency = plan_name = None
    if kind & _ACCOUNT:
        at = 1 + LENGTH
        account_id = uuid_of_bytes(plain[1:at])
    if kind & _FEE:
        begin, at = at + 1, at + 1 + plain[at]
        fee = _amount(plain[begin:at])
    if kind & _CURRENCY:
        begin, at = at + 1, at + 1 + plain[at]
        currency = plain[begin:at].decode("utf-8", "surrogatepass")
    if at > len(plain):
        raise IndexError
    if kind & _PLAN:
        plan_name = plain[at:].decode("utf-8", "surrogatepass")
    elif at != len(plain):
        raise ValueError
    return _found(account_id, plan_name, fee, currency)


@lru_cache(maxsize=REMEMBERED_PRICES)
def _amount(text: bytes) -> Decimal:
    """Remembered as prices are (`price`)."""
    amount = Decimal(text.decode("utf-8", "surrogatepass"))
    if str(amount).encode("utf-8", "surrogatepass") != text or not amount.is_finite():
        raise ValueError
    return amount


def _found(
    account_id: UUID | None, plan_name: str | None, fee: Decimal | None, currency: str | None
) -> Found[Billing]:
    """`Found(Billing(…))`, whose own way to their frozen fields takes twice as long."""
    billing = _new(Billing)
    _set_account_id(billing, account_id)
    _set_plan_name(billing, plan_name)
    _set_monthly_fee(billing, fee)
    _set_currency(billing, currency)
    found = _new(Found)
    _set_value(found, billing)
    _set_stale(found, False)
    return found
