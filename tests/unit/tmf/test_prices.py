from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.tmf.charges import Charge, PriceRules, Verdict
from adapters.tmf.prices import currency_of, monthly_charge
from tests.unit.tmf.garbage import damaged, garbage
from tests.unit.tmf.rows import NOW, Json, money, price

RULES = PriceRules()
WITH_TAX = PriceRules(tax_basis="included")
_LAST_YEAR, _TOMORROW = (
    (NOW - timedelta(days=365)).isoformat(),
    (NOW + timedelta(days=1)).isoformat(),
)


def monthly(written: Json, rules: PriceRules = RULES) -> Fraction | Verdict:
    found = monthly_charge(written, rules, NOW)
    return found.amount if isinstance(found, Charge) else found


def taxed(**amounts: object) -> Json:
    return price(price=amounts)


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "recurring",
            "Recurring",
            " RECURRING ",
            "recurringCharge",
            "recurring charge",
            "recurring_fee",
        ),
        *("reccurring", "recurrent", "Recurring-Price", None, ""),
    ],
)
def test_a_recurring_price_is_a_charge_whatever_its_spelling(kind: object) -> None:
    assert monthly(price("20.00", priceType=kind)) == 20


@pytest.mark.parametrize(
    "kind",
    [
        *(
            "oneTime",
            "one time",
            "ONE-TIME",
            "one_time_charge",
            "one-off",
            "nonRecurring",
            "non-recurring",
        ),
        *(
            "no-recurrent",
            "usage",
            "Usage Charge",
            "penalty",
            "appliedPenaltyCharge",
            "oneTimeDiscount",
        ),
    ],
)
def test_a_one_time_usage_or_penalty_price_adds_nothing(kind: str) -> None:
    assert monthly(price("20.00", priceType=kind)) is Verdict.NOTHING
    assert monthly(price("NaN", priceType=kind, recurringChargePeriod="?")) is Verdict.NOTHING


@pytest.mark.parametrize(
    "kind", ["allowance", "tax", "deposit", "monthly-ish", Decimal(1), {"a": 1}, "-"]
)
def test_a_price_of_unknown_kind_is_undecidable(kind: object) -> None:
    assert monthly(price("20.00", priceType=kind)) is Verdict.UNDECIDABLE


def test_a_price_of_unsaid_kind_recurs_only_if_it_has_a_period() -> None:
    assert monthly(price("20.00", priceType=None)) == 20
    assert (
        monthly(price("20.00", priceType=None, recurringChargePeriod=None)) is Verdict.UNDECIDABLE
    )


@pytest.mark.parametrize("value", ["-5", "5"])
@pytest.mark.parametrize("kind", ["discount", "recurringDiscount", "Recurring Discount", "rebate"])
def test_a_recurring_discount_lowers_whichever_sign_it_has(kind: str, value: str) -> None:
    found = monthly_charge(price(value, priceType=kind), RULES, NOW)
    assert isinstance(found, Charge)
    assert (found.amount, found.is_discount) == (-5, True)


def test_a_negative_recurring_price_lowers() -> None:
    found = monthly_charge(price("-5"), RULES, NOW)
    assert isinstance(found, Charge)
    assert (found.amount, found.is_discount) == (-5, True)


def test_a_discount_that_does_not_say_how_often_is_undecidable() -> None:
    once = price("5", priceType="discount", recurringChargePeriod=None)
    assert monthly(once) is Verdict.UNDECIDABLE


def test_both_amounts_are_there_and_the_basis_picks_one() -> None:
    both = taxed(dutyFreeAmount=money("20"), taxIncludedAmount=money("99"), taxRate=Decimal(20))
    assert monthly(both) == 20
    assert monthly(both, WITH_TAX) == 99


def test_the_other_amount_and_a_tax_rate_give_the_basis_exactly() -> None:
    assert monthly(taxed(taxIncludedAmount=money("29.99"), taxRate=Decimal(15))) == Fraction(
        2999, 115
    )
    assert monthly(taxed(dutyFreeAmount=money("20"), taxRate="20"), WITH_TAX) == 24


@pytest.mark.parametrize(
    ("rate", "scale", "expected"),
    [
        ("20", "percent", Fraction(20)),
        ("0.2", "percent", Fraction(24_000, 1002)),
        ("0.2", "fraction", Fraction(20)),
        ("20", "fraction", Verdict.UNDECIDABLE),
        ("0", "percent", Fraction(24)),
    ],
)
def test_the_scale_of_a_tax_rate_is_never_told_from_the_number(
    rate: str, scale: str, expected: object
) -> None:
    rules = PriceRules(tax_rate_scale="fraction" if scale == "fraction" else "percent")
    assert monthly(taxed(taxIncludedAmount=money("24"), taxRate=Decimal(rate)), rules) == expected


@pytest.mark.parametrize("rate", [None, "VAT", "-20", Decimal("NaN"), Decimal(101), True, {}])
def test_without_a_usable_tax_rate_the_other_amount_decides_nothing(rate: object) -> None:
    found = monthly(taxed(taxIncludedAmount=money("24"), taxRate=rate))
    assert found is Verdict.UNDECIDABLE


def test_nothing_with_tax_is_nothing_without_tax() -> None:
    assert monthly(taxed(taxIncludedAmount=money("0.00"))) == 0


def test_a_broken_amount_in_the_basis_is_not_replaced_by_the_other() -> None:
    broken = taxed(dutyFreeAmount=money("NaN"), taxIncludedAmount=money("24"), taxRate=Decimal(20))
    assert monthly(broken) is Verdict.UNDECIDABLE


@pytest.mark.parametrize(
    "written",
    [
        None,
        {},
        {"taxRate": Decimal(20)},
        {"dutyFreeAmount": None},
        {"dutyFreeAmount": {"unit": "GBP"}},
        {"dutyFreeAmount": {"unit": "GBP", "value": None}, "taxIncludedAmount": {}},
    ],
)
def test_an_amount_that_is_only_in_the_catalog_is_missing(written: object) -> None:
    reference = {"id": "POP1", "name": "Fiber recurring fee"}
    assert monthly(price(price=written, productOfferingPrice=reference)) is Verdict.MISSING


def test_a_share_of_nobody_knows_what_is_undecidable() -> None:
    assert monthly(price(price={"percentage": Decimal(10)})) is Verdict.UNDECIDABLE


@pytest.mark.parametrize(
    "changes",
    [
        {"recurringChargePeriod": "lunar"},
        {"recurringChargePeriod": None},
        {"price": {"dutyFreeAmount": money("20", "£")}},
        {"price": {"dutyFreeAmount": money("20", None)}},
        {"price": {"dutyFreeAmount": Decimal(20)}},
        {"price": {"dutyFreeAmount": money(True)}},
        {"price": {"dutyFreeAmount": money("1E+999999")}},
        {"price": "20.00"},
        {"price": [{}, {}]},
        {"validFor": "soon"},
        {"unitOfMeasure": "GB"},
        {"unitOfMeasure": {"amount": Decimal(1)}},
    ],
)
def test_a_recurring_price_that_would_have_to_be_guessed_is_undecidable(changes: Json) -> None:
    assert monthly(price("20.00", **changes)) is Verdict.UNDECIDABLE


@pytest.mark.parametrize("unit", ["", None, "each", "1", Decimal(1), "GBP", "month"])
def test_a_unit_of_measure_that_measures_nothing_is_no_matter(unit: object) -> None:
    assert monthly(price("20.00", unitOfMeasure=unit)) == 20


def test_a_unit_of_time_must_be_the_period_itself() -> None:
    for period, unit, expected in (("month", "month", 240), ("year", "1 year", 20)):
        found = monthly_charge(
            price("240", recurringChargePeriod=period, unitOfMeasure=unit), PriceRules(), NOW
        )
        assert isinstance(found, Charge)
        assert found.amount == expected
    either = price("240", recurringChargePeriod="month", unitOfMeasure="year")
    assert monthly_charge(either, PriceRules(), NOW) is Verdict.UNDECIDABLE


def test_a_price_that_is_over_or_not_yet_begun_adds_nothing() -> None:
    assert monthly(price(validFor={"endDateTime": _LAST_YEAR})) is Verdict.NOTHING
    assert monthly(price(validFor={"startDateTime": _TOMORROW})) is Verdict.NOTHING
    assert monthly(price(validFor={"startDateTime": _LAST_YEAR})) == 20


def test_the_currency_of_an_undecidable_price_is_still_known() -> None:
    assert currency_of(price("20", unit="eur", recurringChargePeriod="lunar"), RULES) == "EUR"
    assert currency_of(price(price=None), RULES) is None
    assert currency_of(None, RULES) is None


@given(
    st.decimals(0, 10**6, places=2),
    st.sampled_from([("month", 1), ("year", 12), ("P3M", 3), ("18 months", 18)]),
)
def test_a_price_for_n_months_is_an_nth_a_month(value: Decimal, period: tuple[str, int]) -> None:
    word, count = period
    assert monthly(price(value, recurringChargePeriod=word)) == Fraction(value) / count


@given(st.decimals(0, 10**6, places=2), st.integers(0, 100))
def test_taking_tax_off_and_putting_it_on_are_each_others_reverse(
    value: Decimal, rate: int
) -> None:
    net = monthly(taxed(taxIncludedAmount=money(value), taxRate=Decimal(rate)))
    assert isinstance(net, Fraction)
    assert net * (100 + rate) / 100 == Fraction(value)


@given(st.one_of(garbage(), damaged(price("20.00"))))
def test_no_price_raises_and_each_charge_is_bounded(written: object) -> None:
    found = monthly_charge(written, RULES, NOW)
    assert isinstance(found, Verdict) or abs(found.amount) <= 10**15
