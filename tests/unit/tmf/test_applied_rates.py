from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import Billing
from adapters.tmf.accounts import account_uuid
from adapters.tmf.applied_rates import charges_of, with_applied_rates
from adapters.tmf.charges import PriceRules, Verdict
from adapters.tmf.coverage import coverage
from adapters.tmf.products import Pricing, ProductRules, read_products
from tests.unit.tmf.garbage import damaged, garbage
from tests.unit.tmf.rows import NOW, Json, money, product, rate

RULES = PriceRules()
SEPTEMBER = ("2026-09-01T00:00:00Z", "2026-09-30T23:59:59Z")
OCTOBER = ("2026-10-01T00:00:00Z", "2026-10-31T23:59:59Z")
HALF_OCTOBER = ("2026-10-15T00:00:00Z", "2026-10-31T23:59:59Z")
THE_YEAR = ("2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z")


def billing(
    *rows: object,
    products: tuple[Json, ...] = (product("P1"),),
    missing_price: Literal["unknown", "nothing"] = "unknown",
) -> Billing:
    rules = ProductRules(missing_price=missing_price)
    reading = read_products(products, rules, NOW, connection="vendor")
    assert reading.pricing is Pricing.NO_PRICE
    return with_applied_rates(reading, rows, RULES, NOW)


def fee(*rows: object) -> Decimal | None:
    return billing(*rows).monthly_fee


def test_the_fee_is_what_was_billed_for_the_latest_period_and_no_mean_of_bills() -> None:
    assert fee(rate("10.00", SEPTEMBER), rate("20.00", OCTOBER)) == 20


def test_account_and_plan_come_with_the_rate() -> None:
    nameless = product("P1", name=None, billingAccount=None)
    found = billing(rate("20.00", billingAccount={"id": "B9"}), products=(nameless,))
    assert found.account_id == account_uuid("vendor", "B9")
    assert found.plan_name == "Fibre"
    assert found.currency == "GBP"
    offered = product("P1", productOffering={"name": "Fibre 500"})
    assert billing(rate("20.00"), products=(offered,)).plan_name == "Fibre 500"


def test_all_rows_of_the_latest_period_are_summed() -> None:
    rows = rate("20.00"), rate("5.00", name="Static IP"), rate("7.00", product={"id": "P2"})
    assert billing(*rows, products=(product("P1"), product("P2"))).monthly_fee == 32


def test_a_bill_of_a_product_that_is_not_shown_is_not_todays() -> None:
    """It has ended, and a vendor that filters by status hides it; or it has another id here."""
    rows = rate("20.00"), rate("7.00", product={"id": "GONE"})
    assert fee(*rows) is None
    assert fee(rows[0], rate("7.00", SEPTEMBER, product={"id": "GONE"})) is None
    old = ("2026-07-01T00:00:00Z", "2026-07-31T23:59:59Z")
    assert fee(rows[0], rate("7.00", old, product={"id": "GONE"})) == 20


def test_a_product_that_was_not_yet_billed_leaves_the_customer_without_a_fee() -> None:
    new = product("NEW")
    bought = product("TV", {"priceType": "one time"})
    products = product("P1"), new, bought
    assert billing(rate("20.00"), products=products).monthly_fee is None
    assert billing(rate("20.00"), products=products, missing_price="nothing").monthly_fee == 20
    assert billing(rate("20.00"), products=(product("P1"), bought)).monthly_fee == 20
    assert billing(rate("20.00", product=None), products=products).monthly_fee == 20


def test_a_bill_may_name_a_bundle_or_any_of_its_parts() -> None:
    bundle = product("BUNDLE", isBundle=True, product=[product("PART"), {"id": "REFERENCE"}])
    for billed in ("BUNDLE", "PART", "REFERENCE"):
        assert billing(rate("20.00", product={"id": billed}), products=(bundle,)).monthly_fee == 20


@pytest.mark.parametrize("kind", ["recurringCharge", "Recurring", "reccurring", "monthly"])
def test_the_kind_is_read_from_both_versions_fields(kind: str) -> None:
    assert fee(rate("20.00", type=kind)) == 20
    assert fee(rate("20.00", type=None, appliedBillingRateType=kind)) == 20


@pytest.mark.parametrize(
    "kind", ["oneTimeCharge", "usageCharge", "appliedPenaltyCharge", "penalty"]
)
def test_what_does_not_recur_adds_nothing(kind: str) -> None:
    assert fee(rate("20.00"), rate("99.00", type=kind)) == 20
    assert fee(rate("99.00", type=kind)) is None


@pytest.mark.parametrize("kind", ["appliedBillingCharge", "appliedBillingCredit", "tax", None])
def test_a_row_that_may_or_may_not_recur_is_undecidable_unless_it_is_past(kind: object) -> None:
    assert fee(rate("20.00"), rate("5.00", type=kind)) is None
    assert fee(rate("20.00"), rate("5.00", SEPTEMBER, type=kind)) == 20
    assert fee(rate("20.00"), rate("5.00", type=kind, periodCoverage=None)) is None


def test_a_charge_that_covers_a_moment_was_made_once() -> None:
    moment = ("2026-10-15T10:00:00Z", "2026-10-15T10:00:00Z")
    assert fee(rate("20.00"), rate("99.00", moment, type="appliedBillingCharge")) == 20


def test_a_recurring_credit_lowers_whichever_sign_it_has() -> None:
    for value in ("-3.00", "3.00"):
        assert fee(rate("20.00"), rate(value, type="recurring credit", name="Loyalty")) == 17
    assert fee(rate("-3.00", type="recurring credit")) is None


def test_years_and_months_stand_side_by_side() -> None:
    assert fee(rate("20.00"), rate("120.00", THE_YEAR, name="Insurance")) == 30


def test_a_part_of_a_period_is_undecidable_unless_it_is_past() -> None:
    assert fee(rate("9.00", HALF_OCTOBER)) is None
    first = ("2026-09-15T00:00:00Z", "2026-09-30T23:59:59Z")
    assert fee(rate("9.00", first), rate("20.00", OCTOBER)) == 20


def test_a_recurring_row_without_a_known_period_is_undecidable() -> None:
    assert fee(rate("20.00", periodCoverage=None)) is None
    assert fee(rate("20.00", periodCoverage={"endDateTime": OCTOBER[1]})) is None
    assert fee(rate("20.00", periodCoverage="October")) is None


def test_a_stated_period_must_agree_with_what_is_covered() -> None:
    assert fee(rate("20.00", recurringChargePeriod="month")) == 20
    assert fee(rate("20.00", recurringChargePeriod="year")) is None
    assert fee(rate("20.00", recurringChargePeriod="lunar")) is None


def test_a_stated_period_and_a_date_stand_for_what_is_covered() -> None:
    def dated(value: str, day: str) -> Json:
        return rate(value, type="monthly", periodCoverage=None, date=f"{day}T10:00:00Z")

    assert fee(dated("10.00", "2026-10-01"), dated("20.00", "2026-11-01")) == 20
    assert fee(rate("20.00", type="monthly", periodCoverage=None)) is None


def test_a_charge_of_long_ago_is_over() -> None:
    old = ("2026-07-01T00:00:00Z", "2026-07-31T23:59:59Z")
    assert fee(rate("20.00"), rate("5.00", old, product={"id": "P2"})) == 20
    assert fee(rate("5.00", old)) is None


def test_a_charge_of_an_ended_product_is_over() -> None:
    ended = product("P2", status="terminated")
    rows = rate("20.00"), rate("5.00", product={"id": "P2"})
    assert billing(*rows, products=(product("P1"), ended)).monthly_fee == 20


def test_a_charge_that_stopped_just_now_may_have_ended_or_come_late() -> None:
    stopped = rate("5.00", SEPTEMBER, name="Static IP")
    assert fee(rate("20.00"), stopped, rate("20.00", SEPTEMBER)) is None


def test_periods_of_one_series_that_overlap_are_undecidable() -> None:
    shifted = ("2026-09-15T00:00:00Z", "2026-10-14T23:59:59Z")
    assert fee(rate("20.00"), rate("20.00", shifted)) is None


def test_a_row_that_comes_twice_counts_once_and_may_not_contradict_itself() -> None:
    row = rate("20.00", id="R1")
    assert fee(row, dict(row)) == 20
    assert fee(row, {**row, "taxExcludedAmount": money("21.00")}) is None
    assert fee(rate("20.00"), rate("20.00", name="The same again")) == 40


def test_rows_with_a_signalling_nan_are_compared_without_raising() -> None:
    odd = rate("20.00", id="R1", taxExcludedAmount=Decimal("sNaN"))
    assert fee(odd, dict(odd)) is None


def test_the_tax_basis_is_that_of_the_connection() -> None:
    with_tax = rate("0", taxExcludedAmount=None, taxIncludedAmount=money("24.00"))
    assert fee({**with_tax, "appliedTax": [{"taxRate": Decimal(20)}]}) == 20
    assert fee({**with_tax, "appliedTax": {"taxRate": Decimal(20)}}) == 20
    assert (
        fee({**with_tax, "appliedTax": [{"taxRate": Decimal(20)}, {"taxRate": Decimal(5)}]}) is None
    )
    assert fee(with_tax) is None


@pytest.mark.parametrize("amount", [None, money("NaN"), money("20.00", "£"), "20.00", money(None)])
def test_an_amount_that_can_not_be_read_is_undecidable(amount: object) -> None:
    assert fee(rate("20.00"), rate("0", taxExcludedAmount=amount, name="other")) is None


def test_two_currencies_are_no_fee() -> None:
    euros = rate("0", taxExcludedAmount=money("5", "EUR"), name="Roaming")
    assert fee(rate("20.00"), euros) is None


def test_no_rows_are_no_charges_and_a_row_that_is_none_is_undecidable() -> None:
    assert charges_of([], RULES, NOW) == []
    assert charges_of([rate("20.00"), None], RULES, NOW) is Verdict.UNDECIDABLE


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2019-12-01T00:00:00.000Z", "2019-12-31T23:59:59.999Z", 1),
        ("2019-12-01T00:00:00Z", "2020-01-01T00:00:00Z", 1),
        ("2019-12-01T00:00:00Z", "2019-12-31T00:00:00Z", 1),
        ("2019-12-01", "2019-12-31", 1),
        ("2019-11-30T23:00:00Z", "2019-12-31T22:59:59Z", 1),
        ("2026-03-01T00:00:00Z", "2026-03-31T22:59:59Z", 1),
        ("2026-03-01T05:00:00Z", "2026-04-01T04:59:59Z", 1),
        ("2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z", 1),
        ("2026-02-01T00:00:00Z", "2026-02-28T23:59:59Z", 1),
        ("2026-01-15T00:00:00Z", "2026-04-14T23:59:59Z", 3),
        ("2026-01-01T00:00:00Z", "2026-12-31T23:59:59Z", 12),
        ("2026-03-02T00:00:00Z", "2026-03-08T23:59:59Z", "7 days"),
        ("2026-03-02T00:00:00Z", "2026-03-29T23:59:59Z", "28 days"),
        ("2026-03-02T00:00:00Z", "2026-03-21T23:59:59Z", None),
        ("2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z", 0),
        ("9999-12-01T00:00:00Z", "9999-12-31T23:59:59Z", None),
    ],
)
def test_a_coverage_is_whole_months_or_weeks_or_a_part(
    start: str, end: str, months: object
) -> None:
    found = coverage({"startDateTime": start, "endDateTime": end})
    assert found is not None
    length = found.months
    if isinstance(months, str):
        assert length is not None
        assert length * 365 / 12 == int(months.split()[0])
    else:
        assert length == months


@pytest.mark.parametrize(
    "period",
    [
        None,
        "October",
        {},
        {"startDateTime": OCTOBER[0]},
        {"startDateTime": OCTOBER[1], "endDateTime": OCTOBER[0]},
    ],
)
def test_a_coverage_needs_a_start_and_a_later_end(period: object) -> None:
    assert coverage(period) is None


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 36))
def test_from_the_first_of_a_month_to_a_last_is_a_whole_number_of_months(
    day: date, count: int
) -> None:
    first = day.replace(day=1)
    following = date(
        first.year + (first.month - 1 + count) // 12, (first.month - 1 + count) % 12 + 1, 1
    )
    last = following - timedelta(days=1)
    for end in (f"{last}T23:59:59Z", f"{following}T00:00:00Z", f"{last}"):
        found = coverage({"startDateTime": f"{first}", "endDateTime": end})
        assert found is not None
        assert (found.months, found.end) == (count, following)


@given(
    st.lists(st.decimals(0, 100, places=2), min_size=1, max_size=5),
    st.randoms(use_true_random=False),
)
def test_the_order_of_bills_never_matters_and_only_the_latest_counts(
    values: list[Decimal], dice: Random
) -> None:
    rows = [
        rate(value, (f"2026-{month:02d}-01", f"2026-{month + 1:02d}-01"))
        for month, value in zip(range(10, 0, -1), values, strict=False)
    ]
    dice.shuffle(rows)
    assert fee(*rows) == values[0]


@given(
    st.one_of(st.lists(garbage(), max_size=4), damaged([rate("20.00"), rate("5.00", SEPTEMBER)]))
)
def test_no_damage_in_a_rate_raises_or_makes_a_negative_fee(rows: object) -> None:
    found = billing(*rows) if isinstance(rows, list) else billing(rows)
    assert found.monthly_fee is None or found.monthly_fee >= 0
