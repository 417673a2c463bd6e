"""The rules of the answer, each as a property of the pure functions that make answers."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from random import Random
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.bss_adapter import BillingAccountInfo, RevenueResult
from adapters.currency import minor_unit
from adapters.outcome import (
    Billing,
    Dispute,
    Found,
    Lookup,
    LookupFailed,
    Missing,
    Reason,
    Unavailable,
)
from adapters.revenue import Money, billing_account, customer_fee, disputed, revenue_result

CUSTOMER = uuid5(NAMESPACE_URL, "customer")

halves = st.integers(-2_000, 2_000).map(lambda count: count * Decimal("0.005"))
amounts = st.one_of(halves, st.decimals(-10_000, 10_000, places=4))
currencies = st.sampled_from(["GBP", "EUR", "JPY", "KWD"])
charges = st.lists(st.builds(Money, amounts, currencies), max_size=6)


def _billing(fee: Money | None) -> Billing:
    if fee is None:
        return Billing(currency=None)
    return Billing(monthly_fee=fee.amount, currency=fee.currency)


billings = charges.map(customer_fee).map(_billing)
unavailable = st.sampled_from(list(Reason)).map(Unavailable)
lookups = st.one_of(
    st.builds(Found, billings, st.booleans()), st.builds(Missing, st.booleans()), unavailable
)


def result(
    found: Sequence[Lookup[Billing]], *, is_estimate: bool = False, currency: str = "GBP"
) -> RevenueResult:
    return revenue_result(
        found, source="vendor", is_estimate=is_estimate, reporting_currency=currency
    )


def priced(fee: str, currency: str = "GBP", *, stale: bool = False) -> Found[Billing]:
    return Found(Billing(monthly_fee=Decimal(fee), currency=currency), stale=stale)


# Rule 1


@pytest.mark.parametrize("is_estimate", [True, False])
def test_rule_1_nobody_asked_is_nothing_at_risk_and_nothing_to_value(is_estimate: bool) -> None:  # noqa: FBT001  (a parameter of the test)
    answer = result([], is_estimate=is_estimate)
    assert answer == RevenueResult(
        total_revenue_at_risk=None,
        is_estimate=is_estimate,
        source="vendor",
        priced_customer_count=0,
        unpriced_customer_count=0,
        requires_manual_valuation=False,
    )


# Rule 2


@given(st.lists(amounts, min_size=1), currencies)
def test_rule_2_a_fee_is_the_sum_rounded_once_half_even_to_the_minor_unit(
    values: list[Decimal], currency: str
) -> None:
    fee = customer_fee(Money(value, currency) for value in values)
    step = Fraction(minor_unit(currency))
    exact = max(sum(map(Fraction, values), Fraction(0)), Fraction(0))
    assert fee is not None
    assert Fraction(fee.amount) == round(exact / step) * step
    assert fee.amount.as_tuple().exponent == minor_unit(currency).as_tuple().exponent


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        ("0.005", "GBP", "0.00"),
        ("0.015", "GBP", "0.02"),
        ("0.0150000001", "GBP", "0.02"),
        ("0.0250000001", "GBP", "0.03"),
        ("2.5", "JPY", "2"),
        ("1.2345", "KWD", "1.234"),
        ("-3", "GBP", "0.00"),
    ],
)
def test_rule_2_a_half_goes_to_the_even_neighbour(value: str, currency: str, expected: str) -> None:
    assert customer_fee([Money(Decimal(value), currency)]) == Money(Decimal(expected), currency)


@given(charges, st.randoms(use_true_random=False))
def test_rule_2_the_order_of_charges_never_matters(paid: list[Money], dice: Random) -> None:
    shuffled = list(paid)
    dice.shuffle(shuffled)
    assert customer_fee(shuffled) == customer_fee(paid)


@given(charges)
def test_rule_2_a_fee_is_never_negative_and_needs_exactly_one_currency(paid: list[Money]) -> None:
    fee = customer_fee(paid)
    assert (fee is not None) == (len({charge.currency for charge in paid}) == 1)
    assert fee is None or fee.amount >= 0


@given(st.lists(st.decimals(0, 10**9, places=2), max_size=300))
def test_rule_2_a_total_is_the_exact_sum_of_the_fees(fees: list[Decimal]) -> None:
    """A sum in floats would drift: 0.1 + 0.2 is not 0.3."""
    answer = result([priced(str(fee)) for fee in fees])
    assert answer.total_revenue_at_risk == (float(sum(fees, Decimal(0))) if fees else None)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+70", "1E+999999"])
def test_an_amount_that_no_money_can_be_is_no_fee_and_does_not_raise(value: str) -> None:
    assert customer_fee([Money(Decimal(value), "GBP"), Money(Decimal(1), "GBP")]) is None


# Rule 3


@given(st.lists(lookups), currencies)
def test_rule_3_everybody_asked_is_either_priced_or_unpriced(
    found: list[Lookup[Billing]], currency: str
) -> None:
    answer = result(found, currency=currency)
    fees = [
        one.value.monthly_fee
        for one in found
        if isinstance(one, Found) and one.value.currency == currency
    ]
    assert answer.priced_customer_count == len(fees)
    assert answer.priced_customer_count + answer.unpriced_customer_count == len(found)
    assert answer.requires_manual_valuation is (answer.unpriced_customer_count > 0)
    assert (answer.total_revenue_at_risk is None) is (not fees)


@given(st.lists(lookups), st.randoms(use_true_random=False))
def test_rule_3_the_order_of_customers_never_matters(
    found: list[Lookup[Billing]], dice: Random
) -> None:
    shuffled = list(found)
    dice.shuffle(shuffled)
    assert result(shuffled) == result(found)


@given(st.lists(lookups), st.lists(lookups))
def test_rule_3_two_groups_come_to_what_they_come_to_together(
    some: list[Lookup[Billing]], others: list[Lookup[Billing]]
) -> None:
    one, other, both = result(some), result(others), result(some + others)
    assert both.priced_customer_count == one.priced_customer_count + other.priced_customer_count
    totals = [group.total_revenue_at_risk for group in (one, other)]
    exact = sum((Decimal(str(total)) for total in totals if total is not None), Decimal(0))
    if both.total_revenue_at_risk is not None:
        assert Decimal(str(both.total_revenue_at_risk)) == exact


@pytest.mark.parametrize(
    "unpriced",
    [
        Missing(),
        Found(Billing()),
        Found(Billing(currency="GBP")),
        priced("20.00", "EUR"),
        Unavailable(Reason.DEADLINE),
    ],
)
def test_rule_3_whoever_has_no_fee_in_the_reporting_currency_is_unpriced_and_never_guessed(
    unpriced: Lookup[Billing],
) -> None:
    answer = result([priced("20.00"), unpriced])
    assert answer.total_revenue_at_risk == 20.0
    assert (answer.priced_customer_count, answer.unpriced_customer_count) == (1, 1)
    assert result([unpriced]).total_revenue_at_risk is None


def test_rule_3_a_real_zero_is_a_price() -> None:
    answer = result([priced("0.00")])
    assert answer.total_revenue_at_risk == 0.0
    assert answer.requires_manual_valuation is False


# Rules 4 and 5


@given(st.lists(lookups), st.booleans())
def test_rule_4_an_aggregate_is_live_only_if_every_customer_is(
    found: list[Lookup[Billing]],
    is_estimate: bool,  # noqa: FBT001  (drawn by hypothesis)
) -> None:
    all_live = all(not isinstance(one, Unavailable) and not one.stale for one in found)
    assert result(found, is_estimate=is_estimate).is_estimate is (is_estimate or not all_live)


def test_rule_4_missing_and_unpriced_customers_are_live_answers() -> None:
    assert result([Missing(), Found(Billing()), priced("1.00")]).is_estimate is False
    assert result([Missing(stale=True)]).is_estimate is True
    assert result([priced("1.00", stale=True)]).is_estimate is True


@given(st.lists(unavailable, min_size=1))
def test_rule_5_when_nobody_could_be_asked_the_answer_is_the_contracts_degraded_one(
    found: list[Unavailable],
) -> None:
    answer = result(found)
    assert answer.total_revenue_at_risk is None
    assert answer.is_estimate is True
    assert answer.requires_manual_valuation is True
    assert answer.unpriced_customer_count == len(found)


# Rule 7


@given(lookups, currencies)
def test_rule_7_a_single_figure_is_what_the_customer_adds_to_a_batch(
    one: Lookup[Billing], currency: str
) -> None:
    batch = result([one], currency=currency).total_revenue_at_risk
    if isinstance(one, Unavailable):
        assert batch is None
        return
    info = billing_account(CUSTOMER, one, reporting_currency=currency)
    in_reporting_currency = info is not None and info.currency == currency
    assert batch == (info.monthly_fee if info is not None and in_reporting_currency else None)


def test_rule_7_a_customer_is_shown_in_its_own_currency() -> None:
    info = billing_account(CUSTOMER, priced("20.00", "EUR"), reporting_currency="GBP")
    assert info == BillingAccountInfo(customer_id=CUSTOMER, monthly_fee=20.0, currency="EUR")


def test_rule_7_without_a_known_currency_the_reporting_currency_stands_in() -> None:
    info = billing_account(CUSTOMER, Found(Billing(plan_name="Fibre")), reporting_currency="USD")
    assert info == BillingAccountInfo(customer_id=CUSTOMER, plan_name="Fibre", currency="USD")


def test_no_such_customer_is_none_and_nobody_could_say_is_an_error_with_its_reason() -> None:
    assert billing_account(CUSTOMER, Missing(), reporting_currency="GBP") is None
    closed = Unavailable(Reason.BREAKER_OPEN, retry_after_s=5.0)
    with pytest.raises(LookupFailed, match="breaker_open") as failed:
        billing_account(CUSTOMER, closed, reporting_currency="GBP")
    assert failed.value.as_lookup() == closed


# Disputes

_DISPUTES = st.one_of(
    st.booleans().map(lambda active: Found(Dispute(active=active))), st.just(Missing()), unavailable
)


@given(st.dictionaries(st.uuids(), _DISPUTES))
def test_the_disputed_are_those_found_with_an_active_one_in_the_order_asked(
    found: dict[UUID, Lookup[Dispute]],
) -> None:
    nobody_found = not any(isinstance(one, Found) for one in found.values())
    if nobody_found and any(isinstance(one, Unavailable) for one in found.values()):
        with pytest.raises(LookupFailed):
            disputed(found)
        return
    active = [customer for customer, one in found.items() if one == Found(Dispute(active=True))]
    assert disputed(found) == active


def test_a_customer_without_a_vendors_id_does_not_make_a_dead_vendor_read_as_no_disputes() -> None:
    dead = Unavailable(Reason.UNREACHABLE, retry_after_s=7)
    with pytest.raises(LookupFailed, match="unreachable"):
        disputed({uuid4(): Missing(), uuid4(): dead})


# Personal data


def test_no_repr_shows_a_fee_a_plan_an_account_or_a_customer() -> None:
    account = uuid5(NAMESPACE_URL, "account")
    billing = Billing(account, "CANARY plan", Decimal("77.77"), "GBP")
    info = billing_account(CUSTOMER, Found(billing), reporting_currency="GBP")
    shown = repr(
        [billing, Found(billing), Money(Decimal("77.77"), "GBP"), Found(Dispute(active=True)), info,
         result([Found(billing)])]
    )  # fmt: skip
    assert "priced_customer_count=1" in shown
    canaries = ("CANARY", "77", str(account), str(CUSTOMER), "active=")
    assert not [canary for canary in canaries if canary in shown]


def test_no_validation_error_shows_what_was_refused() -> None:
    with pytest.raises(ValidationError) as refused:
        BillingAccountInfo.model_validate(
            {"customer_id": "CANARY1", "monthly_fee": "CANARY2", "currency": "CANARY3"}
        )
    assert "CANARY" not in str(refused.value)
    assert "CANARY" not in repr(refused.value)


def test_a_failure_says_why_in_our_own_words_only() -> None:
    failure = LookupFailed(Reason.TLS, "certificate expired", retry_after_s=3.0)
    assert str(failure) == "tls: certificate expired"
    assert str(LookupFailed(Reason.TLS)) == "tls"
    assert failure.as_lookup() == Unavailable(Reason.TLS, 3.0)
