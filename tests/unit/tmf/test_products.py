from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.tmf.accounts import account_uuid
from adapters.tmf.products import Pricing, ProductRules, Reading, read_products
from tests.unit.tmf.garbage import damaged, garbage
from tests.unit.tmf.rows import NOW, Json, money, price, product

RULES = ProductRules()
_PAST, _FUTURE = (NOW - timedelta(days=9)).isoformat(), (NOW + timedelta(days=9)).isoformat()


def read(*rows: object, rules: ProductRules = RULES, accounts: tuple[str, ...] = ()) -> Reading:
    return read_products(rows, rules, NOW, connection="vendor", accounts=accounts)


def fee(*rows: object, rules: ProductRules = RULES) -> Decimal | None:
    return read(*rows, rules=rules).billing.monthly_fee


def test_a_customer_with_one_product_has_its_fee_plan_account_and_currency() -> None:
    found = read(product("P1", price("29.99"), productOffering={"name": " Fibre 500 "}))
    assert found.pricing is Pricing.PRICED
    assert found.billing.monthly_fee == Decimal("29.99")
    assert found.billing.plan_name == "Fibre 500"
    assert found.billing.account_id == account_uuid("vendor", "ACC-1")
    assert found.billing.currency == "GBP"


def test_no_rows_are_no_price() -> None:
    found = read()
    assert found.pricing is Pricing.NO_PRICE
    assert found.billing.currency is found.billing.account_id is found.billing.plan_name is None


@pytest.mark.parametrize("status", ["active", " Active ", "PENDINGTERMINATE", "suspended"])
def test_a_product_in_a_charged_status_counts_in_any_spelling(status: str) -> None:
    assert fee(product("P1", price("5"), status=status)) == 5


@pytest.mark.parametrize("status", ["terminated", "aborted ", "aborted", "Cancelled", "created"])
def test_a_product_in_another_official_status_is_not_charged(status: str) -> None:
    found = read(product("P1", price("5"), status=status))
    assert found.pricing is Pricing.NO_PRICE
    assert found.ended == {"P1"}


@pytest.mark.parametrize("status", [None, "", "SN", Decimal(1), ["active"]])
def test_a_priced_product_of_unknown_status_leaves_its_customer_unpriced(status: object) -> None:
    odd = product("P2", price("5"), status=status)
    assert read(product("P1", price("20")), odd).pricing is Pricing.UNDECIDABLE


def test_an_unknown_status_of_what_costs_nothing_a_month_is_no_matter() -> None:
    odd = product("P2", price("5", priceType="one time"), status="SN")
    assert fee(product("P1", price("20")), odd) == 20


def test_a_list_with_a_vendors_own_codes_is_complete() -> None:
    own = ProductRules(charged_statuses=(" sn", "active"))
    rows = product("P1", price("20"), status="SN "), product("P2", price("5"), status="SR")
    assert fee(*rows, rules=own) == 20


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"terminationDate": _PAST}, Pricing.NO_PRICE),
        ({"terminationDate": NOW.isoformat()}, Pricing.NO_PRICE),
        ({"terminationDate": _FUTURE}, Pricing.PRICED),
        ({"terminationDate": "9999-12-31T23:59:59-05:00"}, Pricing.PRICED),
        ({"terminationDate": "soon"}, Pricing.UNDECIDABLE),
        ({"startDate": _FUTURE}, Pricing.NO_PRICE),
        ({"startDate": _PAST}, Pricing.PRICED),
        ({"startDate": "long ago"}, Pricing.PRICED),
    ],
)
def test_an_active_product_is_charged_between_its_dates(dates: Json, expected: Pricing) -> None:
    """A status says that it has begun, so an unreadable start is no matter; an end is."""
    assert read(product("P1", price("20"), **dates)).pricing is expected


def test_a_customer_with_only_one_time_prices_has_no_monthly_fee() -> None:
    found = read(product("P1", price("99", priceType="one time")))
    assert found.pricing is Pricing.NO_PRICE
    assert found.billing.monthly_fee is None
    assert found.billing.currency == "GBP"


def test_discounts_lower_the_fee_but_never_below_zero() -> None:
    discount = price("30", priceType="recurring discount")
    assert fee(product("P1", price("50"), discount)) == 20
    assert fee(product("P1", price("20"), discount)) == 0


def test_a_discount_without_a_price_is_no_fee() -> None:
    found = read(product("P1", price("5", priceType="recurring discount")))
    assert found.pricing is Pricing.UNDECIDABLE


def test_one_undecidable_price_leaves_the_whole_customer_unpriced() -> None:
    odd = price("1", recurringChargePeriod="lunar")
    found = read(product("P1", price("20")), product("P2", price("5"), odd))
    assert found.pricing is Pricing.UNDECIDABLE
    assert found.billing.monthly_fee is None
    assert found.billing.currency == "GBP"


def test_an_undecidable_price_of_an_ended_product_is_no_matter() -> None:
    odd = product("P2", price("1", recurringChargePeriod="lunar"), status="terminated")
    assert fee(product("P1", price("20")), odd) == 20


@pytest.mark.parametrize("prices", [[], None, {}])
def test_a_product_without_any_price_beside_a_priced_one_is_unknown_not_zero(
    prices: object,
) -> None:
    rows = product("P1", price("20")), product("P2", productPrice=prices)
    assert read(*rows).pricing is Pricing.UNDECIDABLE
    included = ProductRules(missing_price="nothing")
    assert fee(*rows, rules=included) == 20


def test_without_a_fee_the_only_account_plan_and_currency_are_still_told() -> None:
    found = read(product("P1", productOffering={"name": "Fibre"}))
    assert found.pricing is Pricing.NO_PRICE
    assert found.billing.account_id == account_uuid("vendor", "ACC-1")
    assert found.billing.plan_name == "Fibre"


def test_of_several_accounts_or_plans_none_is_picked_without_a_fee() -> None:
    found = read(product("P1"), product("P2", billingAccount={"id": "ACC-2"}))
    assert found.billing.account_id is None
    assert found.billing.plan_name is None


def test_the_only_listed_account_stands_in_where_no_product_names_one() -> None:
    row = product("P1", price("20"), billingAccount=None)
    assert read(row, accounts=("A7",)).billing.account_id == account_uuid("vendor", "A7")
    assert read(row, accounts=("A7", "A8")).billing.account_id is None
    assert read(product("P1", price("20")), accounts=("A7",)).billing.account_id == account_uuid(
        "vendor", "ACC-1"
    )


@pytest.mark.parametrize("rows", [[None], ["product"], [product("P1", price("20")), Decimal(1)]])
def test_a_row_that_is_no_product_leaves_its_customer_unpriced(rows: list[object]) -> None:
    assert read(*rows).pricing is Pricing.UNDECIDABLE


@pytest.mark.parametrize("prices", ["20.00", Decimal(20), [None], [[price("20")]], True])
def test_prices_that_are_no_list_of_prices_leave_their_customer_unpriced(prices: object) -> None:
    assert read(product("P1", productPrice=prices)).pricing is Pricing.UNDECIDABLE


def test_a_signalling_nan_anywhere_is_compared_without_raising() -> None:
    """Comparing one raises, even with itself."""
    odd = product("P1", productPrice=Decimal("sNaN"))
    assert read(odd, dict(odd)).pricing is Pricing.UNDECIDABLE
    steps = [{"price": {"percentage": Decimal("sNaN")}}]
    row = product("P1", price("20", productPriceAlteration=steps, priceAlteration=steps))
    assert read(row, dict(row)).pricing is Pricing.UNDECIDABLE


def test_of_equal_parts_the_first_account_and_plan_by_name_are_shown() -> None:
    rows = [
        product("P2", price("20"), billingAccount={"id": "B"}, name="Beta"),
        product("P1", price("20"), billingAccount={"id": "A"}, name="Alpha"),
    ]
    for order in (rows, rows[::-1]):
        billing = read(*order).billing
        assert billing.account_id == account_uuid("vendor", "A")
        assert billing.plan_name == "Alpha"


def test_no_repr_of_a_reading_shows_what_it_has_read() -> None:
    row = product("CANARY1", price("77.77"), name="CANARY2", billingAccount={"id": "CANARY3"})
    shown = repr(read(row))
    assert not any(word in shown for word in ("CANARY", "77", "GBP"))


_AMOUNTS = st.decimals(-1000, 1000, places=2)
_PERIODS = st.sampled_from([("month", 1), ("year", 12), ("quarter", 3), ("18 months", 18)])


@given(st.lists(st.tuples(_AMOUNTS, _PERIODS), min_size=1, max_size=8))
def test_a_fee_is_the_exact_sum_rounded_once_half_even(
    paid: list[tuple[Decimal, tuple[str, int]]],
) -> None:
    """Whatever the twelfths and thirds are: nothing is rounded before the end."""
    rows = [
        product(f"P{n}", price(value, recurringChargePeriod=word))
        for n, (value, (word, _)) in enumerate(paid)
    ]
    rows.append(product("base", price("0.00")))
    exact = sum((Fraction(value) / count for value, (_, count) in paid), Fraction(0))
    assert fee(*rows) == Decimal(round(max(exact, Fraction(0)) * 100)) / 100


def test_three_thirds_of_a_half_penny_round_as_the_half_that_they_are() -> None:
    """0.02 a year, three times, is exactly 0.005 a month, which half-even makes 0.00."""
    rows = [product(f"P{n}", price("0.02", recurringChargePeriod="year")) for n in range(3)]
    assert fee(*rows) == Decimal("0.00")


_ROWS = st.lists(
    st.builds(
        lambda product_id, value, account, status: product(
            product_id, price(value), billingAccount={"id": account}, status=status
        ),
        st.sampled_from([f"P{n}" for n in range(20)]),
        st.decimals(0, 100, places=2),
        st.sampled_from(["A", "B", "C"]),
        st.sampled_from(["active", "terminated", "suspended"]),
    ),
    unique_by=lambda row: str(row["id"]),
    max_size=6,
)


@given(_ROWS, st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_a_repeated_page_changes_anything(
    rows: list[Json], dice: Random
) -> None:
    shuffled = rows + rows[: len(rows) // 2]
    dice.shuffle(shuffled)
    assert read(*shuffled).billing == read(*rows).billing


@given(_ROWS, garbage())
def test_one_bad_price_costs_the_fee_and_nothing_raises(rows: list[Json], bad: object) -> None:
    bad_row = product("bad", price(price={"dutyFreeAmount": {"unit": "GBP", "value": "NaN"}}))
    assert fee(*rows, bad_row) is None
    read(*rows, bad)


@given(
    damaged(
        [
            product("P1", price("20"), product=[product("P2", price("5"))]),
            product("P3", price("7", priceAlteration=[{"price": {"percentage": Decimal(5)}}])),
        ]
    )
)
def test_no_damage_in_the_rows_of_a_customer_raises_or_makes_a_negative_fee(rows: object) -> None:
    found = read(*rows) if isinstance(rows, list) else read(rows)
    known = found.billing.monthly_fee
    assert (known is not None) == (found.pricing is Pricing.PRICED)
    assert known is None or known >= 0


def test_money_is_never_summed_across_currencies_however_small() -> None:
    euros = price(price={"dutyFreeAmount": money("0.01", "EUR")})
    found = read(product("P1", price("20")), product("P2", euros))
    assert found.pricing is Pricing.UNDECIDABLE
    assert found.billing.currency is None
