"""What is kept comes back as it was, or not at all."""

from collections.abc import Callable
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.outcome import Billing, Dispute, Found, Missing
from proxy.cache.codec import LONGEST_PLAN_BYTES, Kept, decode_billing, decode_dispute, encode

ANY_TEXT = st.text(st.characters(), max_size=60)
FEES = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False),
    st.decimals(min_value=0, max_value=10_000, places=2),
    st.builds(
        lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
        st.integers(0, 1),
        st.lists(st.integers(0, 9), min_size=1, max_size=60),
        st.integers(-400, 400),
    ),
)
BILLINGS = st.builds(
    Billing,
    account_id=st.none() | st.uuids(),
    plan_name=st.none() | ANY_TEXT,
    monthly_fee=st.none() | FEES,
    currency=st.none() | st.sampled_from(["GBP", "JPY", ""]) | ANY_TEXT,
)
FULL = Billing(UUID(int=7), "Fibre 900", Decimal("129.90"), "GBP")


def _outcome(decode: Callable[[bytes], Kept], plain: bytes) -> Kept | ValueError:
    try:
        return decode(plain)
    except ValueError as refusal:
        return refusal


def _digits(fee: Decimal | None) -> object:
    return None if fee is None else fee.as_tuple()


@given(BILLINGS)
@example(Billing())
@example(Billing(plan_name=""))
@example(Billing(plan_name="half \ud83d of a \ude00 pair"))
@example(Billing(monthly_fee=Decimal("0.00"), currency="JPY"))
@example(Billing(monthly_fee=Decimal("-0")))
@example(Billing(monthly_fee=Decimal("1E+27")))
@example(Billing(account_id=UUID(int=0), plan_name="\0"))
def test_billing_comes_back_to_the_last_digit(billing: Billing) -> None:
    back = decode_billing(encode(Found(billing)))
    assert back == Found(billing)
    assert isinstance(back, Found)
    assert _digits(back.value.monthly_fee) == _digits(billing.monthly_fee)


@given(BILLINGS, BILLINGS)
def test_different_billings_are_different_bytes(one: Billing, other: Billing) -> None:
    same = one == other and _digits(one.monthly_fee) == _digits(other.monthly_fee)
    assert (encode(Found(one)) == encode(Found(other))) == same


@pytest.mark.parametrize("active", [True, False])
def test_a_dispute_comes_back(active: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    assert decode_dispute(encode(Found(Dispute(active)))) == Found(Dispute(active))


def test_missing_is_missing_to_both_questions() -> None:
    assert decode_billing(encode(Missing())) == Missing()
    assert decode_dispute(encode(Missing())) == Missing()


@given(BILLINGS)
def test_a_billing_is_no_answer_about_disputes(billing: Billing) -> None:
    with pytest.raises(ValueError, match="dispute"):
        decode_dispute(encode(Found(billing)))


@pytest.mark.parametrize("active", [True, False])
def test_a_dispute_is_no_billing(active: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    with pytest.raises(ValueError, match="billing"):
        decode_billing(encode(Found(Dispute(active))))


@pytest.mark.parametrize(
    "kept", [Found(FULL, stale=True), Missing(stale=True), Found(Dispute(active=True), stale=True)]
)
def test_what_is_past_its_life_is_not_kept_again(kept: Found[Billing] | Missing) -> None:
    with pytest.raises(ValueError, match="past its life"):
        encode(kept)


@pytest.mark.parametrize(
    "billing",
    [
        Billing(monthly_fee=Decimal("NaN")),
        Billing(monthly_fee=Decimal("sNaN123")),
        Billing(monthly_fee=Decimal("-Infinity")),
        Billing(monthly_fee=Decimal("1" * 256)),
        Billing(currency="é" * 128),
        Billing(plan_name="x" * (LONGEST_PLAN_BYTES + 1)),
    ],
)
def test_what_is_no_amount_or_endless_is_not_kept(billing: Billing) -> None:
    with pytest.raises(ValueError, match=r"no amount|too long"):
        encode(Found(billing))


@given(st.integers(0, 200))
def test_half_an_entry_is_not_read(size: int) -> None:
    """Without a plan at its end, there is no shorter entry that could be meant."""
    whole = encode(Found(Billing(UUID(int=7), None, Decimal("129.90"), "GBP")))
    if size < len(whole):
        with pytest.raises(ValueError, match="billing"):
            decode_billing(whole[:size])


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: b"\x1f" + rest))
def test_any_bytes_are_read_as_what_was_written_or_are_refused(plain: bytes) -> None:
    for decode in (decode_billing, decode_dispute):
        kept = _outcome(decode, plain)
        if isinstance(kept, ValueError):
            assert (type(kept), kept.__context__) == (ValueError, None)
        else:
            assert encode(kept) == plain


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\x00",
        b"\x01\x00",
        b"\x02\x00",
        b"\x20",
        b"\x10\x00",
        b"\x12\x031_0",
        b"\x12\x04 1.0",
        b"\x12\x03NaN",
        b"\x12\x03\xd9\xa1\x30",
        b"\x12\x00",
        b"\x14\x02G",
        b"\x1a\x051.0",
        b"\x1c\x03G",
        b"\x14\x01\xff",
        b"\x18\xff\xfe",
        b"\x11" + bytes(15),
    ],
)
def test_foreign_bytes_are_refused(plain: bytes) -> None:
    for decode in (decode_billing, decode_dispute):
        with pytest.raises(ValueError, match=r"not what is known|cannot be read"):
            decode(plain)


def test_a_refusal_carries_nothing_of_what_it_refuses() -> None:
    """A `UnicodeDecodeError` holds the whole entry, and so would one that hangs on it."""
    with pytest.raises(ValueError, match="cannot be read") as refusal:
        decode_billing(b"\x18Canary Fibre\xff")
    assert refusal.value.__cause__ is refusal.value.__context__ is None
    assert "Canary" not in repr(refusal.value)
    with pytest.raises(ValueError, match="too long") as refusal:
        encode(Found(Billing(plan_name="Canary" * 1000)))
    assert "Canary" not in repr(refusal.value)
