from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.tmf.charges import Charge, PriceRules, Verdict
from adapters.tmf.prices import monthly_charge
from tests.unit.tmf.garbage import damaged
from tests.unit.tmf.rows import NOW, Json, alteration, by_amount, by_percent, money, price

_PAST, _FUTURE = (NOW - timedelta(days=9)).isoformat(), (NOW + timedelta(days=9)).isoformat()


def altered(*alterations: object, rules: PriceRules | None = None, **changes: object) -> object:
    """What 20.00 a month comes to after the alterations, or the verdict."""
    written = price("20.00", **{"productPriceAlteration": list(alterations), **changes})
    found = monthly_charge(written, rules or PriceRules(), NOW)
    return found.amount if isinstance(found, Charge) else found


@pytest.mark.parametrize("kind", ["recurring", "recurringCharge", "discount", "Rebate", None])
@pytest.mark.parametrize("percentage", [Decimal(10), Decimal(-10), "10"])
def test_a_percentage_lowers_whichever_sign_it_has(kind: object, percentage: object) -> None:
    assert altered(by_percent(percentage, priceType=kind)) == 18


@pytest.mark.parametrize("kind", ["recurring", "discount", None])
@pytest.mark.parametrize("value", ["5", "-5"])
def test_an_amount_lowers_whichever_sign_it_has(kind: object, value: str) -> None:
    assert altered(by_amount(value, priceType=kind)) == 15


def test_a_surcharge_that_says_so_raises() -> None:
    assert altered(by_percent(Decimal(10), priceType="surcharge")) == 22
    assert altered(by_amount("5", priceType="recurring surcharge")) == 25
    assert altered(by_amount("-5", priceType="surcharge")) is Verdict.UNDECIDABLE


def test_a_name_that_speaks_of_a_surcharge_makes_a_plain_kind_undecidable() -> None:
    assert altered(by_amount("5", name="Rural surcharge")) is Verdict.UNDECIDABLE


@pytest.mark.parametrize("name", ["Paper bill fee", "Line charges", "Emergency levy", "TV Premium"])
def test_a_name_that_speaks_of_a_cost_makes_a_plain_kind_undecidable(name: str) -> None:
    assert altered(by_amount("5", name=name)) is Verdict.UNDECIDABLE
    assert altered(by_amount("5", name=name, priceType="surcharge")) == 25
    assert altered(by_amount("5", name=f"{name}, discount")) == 15


@pytest.mark.parametrize("name", ["Delivery fee waiver", "50 % off line charge", "Coffee club"])
def test_a_name_that_speaks_of_what_is_taken_off_lowers(name: str) -> None:
    assert altered(by_amount("5", name=name)) == 15


@pytest.mark.parametrize("kind", ["one time", "usage", "penalty"])
def test_an_alteration_that_does_not_recur_leaves_the_month_alone(kind: str) -> None:
    assert altered(by_percent(Decimal(100), priceType=kind, applicationDuration=Decimal(2))) == 20


def test_both_versions_names_of_the_list_are_read() -> None:
    v5 = price("20.00", priceAlteration=[by_percent(Decimal(10))])
    found = monthly_charge(v5, PriceRules(), NOW)
    assert isinstance(found, Charge)
    assert found.amount == 18
    same = [by_percent(Decimal(10))]
    assert altered(*same, priceAlteration=same) == 18
    assert altered(*same, priceAlteration=[by_amount("5")]) is Verdict.UNDECIDABLE
    assert altered(priceAlteration=by_amount("5")) == 15


@pytest.mark.parametrize(("first", "expected"), [("percent", 13), ("amount", Fraction("13.5"))])
def test_alterations_apply_in_order_of_priority(first: str, expected: object) -> None:
    is_percent_first = first == "percent"
    percent = by_percent(Decimal(10), priority=Decimal(1 if is_percent_first else 2))
    flat = by_amount("5", priority=Decimal(2 if is_percent_first else 1))
    for order in permutations([percent, flat]):
        assert altered(*order) == expected


@pytest.mark.parametrize("priorities", [(None, None), (1, None), (1, 1), ("first", 2)])
def test_a_percentage_and_an_amount_without_an_order_are_undecidable(
    priorities: tuple[object, object],
) -> None:
    percent = by_percent(Decimal(10), priority=priorities[0])
    assert altered(percent, by_amount("5", priority=priorities[1])) is Verdict.UNDECIDABLE


def test_alterations_of_one_sort_need_no_priority() -> None:
    assert altered(by_percent(Decimal(10)), by_percent(Decimal(50))) == 9
    assert altered(by_amount("5"), by_amount("1")) == 14


def test_a_duration_has_no_unit_so_only_an_end_date_decides() -> None:
    lasting = by_percent(Decimal(10), applicationDuration=Decimal(2))
    assert altered(lasting) is Verdict.UNDECIDABLE
    assert altered({**lasting, "validFor": {"startDateTime": _PAST}}) is Verdict.UNDECIDABLE
    assert altered({**lasting, "validFor": {"endDateTime": _FUTURE}}) == 18
    assert altered({**lasting, "validFor": {"endDateTime": _PAST}}) == 20
    assert altered({**lasting, "validFor": {"startDateTime": _FUTURE}}) == 20
    assert altered({**lasting, "validFor": {"endDateTime": "soon"}}) is Verdict.UNDECIDABLE


def test_dates_alone_decide_as_well() -> None:
    assert altered(by_percent(Decimal(10), validFor={"startDateTime": _PAST})) == 18
    assert altered(by_percent(Decimal(10), validFor={"endDateTime": _PAST})) == 20


def test_an_amount_has_its_own_period_or_that_of_its_price() -> None:
    assert altered(by_amount("12", recurringChargePeriod="year")) == 19
    yearly = {"recurringChargePeriod": "year"}
    assert altered(by_amount("8"), **yearly) == 1
    assert altered(by_amount("1", recurringChargePeriod="month"), **yearly) == Fraction(20, 12) - 1
    assert altered(by_amount("1", recurringChargePeriod="lunar")) is Verdict.UNDECIDABLE


def test_an_amount_is_brought_to_the_same_tax_basis() -> None:
    with_tax = {"price": {"taxIncludedAmount": money("6")}}
    of_price = {"dutyFreeAmount": money("20.00"), "taxRate": Decimal(20)}
    assert altered(alteration(**with_tax), price=of_price) == 15
    assert altered(alteration(**with_tax)) is Verdict.UNDECIDABLE


def test_a_zero_beside_the_other_sort_is_no_contradiction() -> None:
    both: Json = {"percentage": Decimal(10), "dutyFreeAmount": money("0")}
    assert altered(alteration(price=both)) == 18
    assert altered(alteration(price={**both, "percentage": Decimal(0)})) == 20
    assert altered(alteration(price={**both, "dutyFreeAmount": money("5")})) is Verdict.UNDECIDABLE


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "10% off",
        by_percent(Decimal(10), priceType="allowance"),
        by_percent(Decimal(101)),
        by_percent("ten"),
        by_percent(Decimal("NaN")),
        by_amount("NaN"),
        alteration(),
        alteration(price={}),
        alteration(price={"dutyFreeAmount": money("5", "EUR")}),
        alteration(productOfferingPrice={"id": "POP2"}),
    ],
)
def test_one_undecidable_alteration_makes_its_price_undecidable(odd: object) -> None:
    assert altered(by_percent(Decimal(10)), odd) is Verdict.UNDECIDABLE


def test_a_list_that_is_none_is_undecidable_and_an_empty_one_is_no_alteration() -> None:
    assert altered() == 20
    assert altered(productPriceAlteration="10% off") is Verdict.UNDECIDABLE


def test_a_discount_may_outweigh_its_price_but_alters_no_negative_one() -> None:
    assert altered(by_amount("25")) == -5
    negative = {"price": {"dutyFreeAmount": money("-20")}}
    assert altered(by_percent(Decimal(10)), **negative) is Verdict.UNDECIDABLE


_SHARES = st.integers(-100, 100).map(lambda share: by_percent(Decimal(share)))
_FLATS = st.integers(-9, 9).map(lambda value: by_amount(str(value)))
_STEPS = st.lists(st.one_of(_SHARES, _FLATS), max_size=6)


@given(_STEPS)
def test_alterations_never_raise_a_price_unless_one_says_so(steps: list[Json]) -> None:
    ranked = [{**step, "priority": Decimal(rank)} for rank, step in enumerate(steps)]
    found = altered(*ranked)
    assert isinstance(found, Fraction)
    assert found <= 20


@given(_STEPS, st.randoms(use_true_random=False))
def test_the_order_of_the_list_never_matters(steps: list[Json], dice: Random) -> None:
    shuffled = list(steps)
    dice.shuffle(shuffled)
    assert altered(*shuffled) == altered(*steps)


@given(damaged([by_percent(Decimal(10), priority=Decimal(1)), by_amount("5", priority=Decimal(2))]))
def test_no_damage_in_an_alteration_raises(damaged_list: object) -> None:
    found = altered(productPriceAlteration=damaged_list)
    assert isinstance(found, Fraction | Verdict)
