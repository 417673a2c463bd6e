"""The traps of TM Forum data that concern prices and products, one test or more for each.

Each asks the whole way, from the rows of a customer to its `Billing` and into an aggregate.
"""

from decimal import Decimal

import pytest

from adapters.outcome import Billing, Found
from adapters.revenue import revenue_result
from adapters.tmf.accounts import account_uuid
from adapters.tmf.applied_rates import with_applied_rates
from adapters.tmf.charges import PriceRules
from adapters.tmf.products import Pricing, ProductRules, read_products
from tests.unit.tmf.rows import NOW, Json, by_amount, by_percent, money, price, product, rate


def billing(*rows: object, prices: PriceRules | None = None) -> Billing:
    rules = ProductRules(prices=prices or PriceRules())
    return read_products(rows, rules, NOW, connection="vendor").billing


def fee(*rows: object, prices: PriceRules | None = None) -> Decimal | None:
    return billing(*rows, prices=prices).monthly_fee


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        *((word, "120.00") for word in ("month", "monthly", "MONTHLY", "1 month", "P1M")),
        *((word, "10.00") for word in ("year", "annual")),
        ("quarter", "40.00"),
        ("week", "521.43"),
        *((word, "130.36") for word in ("4 weeks", "28 days")),
    ],
)
def test_trap_1_periods_are_free_text_and_become_months(period: str, expected: str) -> None:
    assert fee(product("P1", price("120.00", recurringChargePeriod=period))) == Decimal(expected)


def test_trap_1_an_unknown_period_leaves_the_customer_unpriced() -> None:
    rows = product("P1", price("20.00")), product("P2", price("5", recurringChargePeriod="lunar"))
    assert fee(*rows) is None


def test_trap_2_price_types_are_free_text_with_the_official_samples_misspelling() -> None:
    """The official v5 sample: "reccurring", tax included, 15 %, euros."""
    sample = {
        "recurringChargePeriod": "month",
        "priceType": "reccurring",
        "productOfferingPrice": {"id": "POP1", "name": "Fiber recurring fee"},
        "price": {"taxIncludedAmount": money("29.99", "EUR"), "taxRate": Decimal(15)},
    }
    found = billing(product("P1", sample))
    assert (found.monthly_fee, found.currency) == (Decimal("26.08"), "EUR")


def test_trap_2_one_time_usage_and_penalty_prices_add_nothing() -> None:
    once, used, fined = (price("99", priceType=kind) for kind in ("oneTime", "usage", "penalty"))
    assert fee(product("P1", price("20.00"), once, used, fined)) == 20
    assert fee(product("P1", once, used, fined)) is None


def test_trap_2_a_discount_lowers_the_fee_and_never_below_zero() -> None:
    discount = price("15", priceType="recurring discount")
    assert fee(product("P1", price("20.00"), discount, price("-2.00"))) == 3
    assert fee(product("P1", price("10.00"), discount)) == 0


def test_trap_3_tax_bases_are_never_mixed_in_a_sum() -> None:
    net = price("10.00")
    gross = price(price={"taxIncludedAmount": money("12.00"), "taxRate": Decimal(20)})
    assert fee(product("P1", net, gross)) == 20
    both = price(price={"dutyFreeAmount": money("10.00"), "taxRate": Decimal(20)})
    assert fee(product("P1", both, gross), prices=PriceRules(tax_basis="included")) == 24
    assert fee(product("P1", net, gross), prices=PriceRules(tax_basis="included")) is None


def test_trap_3_the_scale_of_a_tax_rate_is_a_setting() -> None:
    row = product("P1", price(price={"taxIncludedAmount": money("12.00"), "taxRate": "0.2"}))
    assert fee(row, prices=PriceRules(tax_rate_scale="fraction")) == 10
    assert fee(row, prices=PriceRules(tax_rate_scale="percent")) == Decimal("11.98")


def test_trap_4_alterations_apply_by_priority_whatever_their_sign() -> None:
    steps = [by_amount("-5", priority=Decimal(2)), by_percent(Decimal(10), priority=Decimal(1))]
    assert fee(product("P1", price("20.00", productPriceAlteration=steps))) == 13
    assert fee(product("P1", price("20.00", priceAlteration=steps))) == 13


@pytest.mark.parametrize(
    "step",
    [
        by_percent(Decimal(10), applicationDuration=Decimal(2)),
        by_percent(Decimal(10), priceType="loyalty"),
    ],
)
def test_trap_4_an_alteration_that_can_not_be_decided_leaves_the_customer_unpriced(
    step: Json,
) -> None:
    assert fee(product("P1", price("20.00", productPriceAlteration=[step]))) is None


def test_trap_5_a_price_that_is_only_in_the_catalog_is_unknown() -> None:
    catalog = price(price=None, productOfferingPrice={"id": "POP1", "name": "Fibre, monthly"})
    assert fee(product("P1", catalog)) is None
    assert fee(product("P1", price("20.00")), product("P2", catalog)) is None


def test_trap_5_missing_is_not_zero_and_a_real_zero_is_priced() -> None:
    missing, free = product("P1"), product("P2", price("0.00"))
    assert fee(missing) is None
    assert fee(free) == Decimal("0.00")
    result = revenue_result(
        [Found(billing(missing)), Found(billing(free))],
        source="tmf",
        is_estimate=False,
        reporting_currency="GBP",
    )
    assert (result.priced_customer_count, result.unpriced_customer_count) == (1, 1)
    assert result.total_revenue_at_risk == 0.0


@pytest.mark.parametrize("style", ["nested", "related v4", "related v5"])
def test_trap_6_a_part_counts_only_when_its_bundle_has_no_price(style: str) -> None:
    part = product("PART", price("12.00"))
    held: Json = {
        "nested": {"product": [part]},
        "related v4": {"productRelationship": [{"relationshipType": "bundled", "product": part}]},
        "related v5": {"productRelationship": [{"relationshipType": "bundles", "id": "PART"}]},
    }[style]
    assert fee(product("BUNDLE", price("30.00"), isBundle=True, **held), part) == 30
    assert fee(product("BUNDLE", isBundle=True, **held), part) == 12


def test_trap_7_the_fee_is_the_sum_over_all_products_and_accounts() -> None:
    """The largest single product is not on the account that carries the largest part."""
    found = billing(
        product("P1", price("30.00"), name="Fibre", billingAccount={"id": "A"}),
        product("P2", price("25.00"), name="Mobile", billingAccount={"id": "B"}),
        product("P3", price("10.00"), name="TV", billingAccount={"id": "B"}),
    )
    assert found.monthly_fee == 65
    assert found.account_id == account_uuid("vendor", "B")
    assert found.plan_name == "Fibre"


def test_trap_8_a_charge_on_another_account_is_still_the_customers() -> None:
    elsewhere = price("25.00", billingAccount={"id": "B"})
    found = billing(product("P1", price("20.00"), elsewhere, billingAccount={"id": "A"}))
    assert found.monthly_fee == 45
    assert found.account_id == account_uuid("vendor", "B")


def test_trap_10_two_currencies_are_never_added() -> None:
    rows = product("P1", price("20.00")), product("P2", price("20.00", unit="EUR"))
    assert fee(*rows) is None
    assert billing(*rows).currency is None


def test_trap_10_a_foreign_fee_is_shown_and_unpriced_in_the_aggregate() -> None:
    found = billing(product("P1", price("20.00", unit="EUR")))
    assert (found.monthly_fee, found.currency) == (20, "EUR")
    result = revenue_result(
        [Found(found)], source="tmf", is_estimate=False, reporting_currency="GBP"
    )
    assert result.total_revenue_at_risk is None
    assert result.unpriced_customer_count == 1


@pytest.mark.parametrize("account", ["20000001", Decimal(20000001), " 20000001 "])
def test_trap_11_an_account_number_becomes_a_stable_uuid_of_the_connection(account: object) -> None:
    found = billing(product("P1", price("20.00"), billingAccount={"id": account}))
    assert found.account_id == account_uuid("vendor", "20000001")
    assert found.account_id != account_uuid("another", "20000001")


def test_trap_11_an_account_id_that_is_a_uuid_passes_as_it_is() -> None:
    account = "0b5f2c1e-7a0d-4c3b-9a57-3f0f3c9d1e11"
    found = billing(product("P1", price("20.00"), billingAccount={"id": account}))
    assert str(found.account_id) == account


@pytest.mark.parametrize("status", ["Active", "ACTIVE ", " pendingterminate", "Suspended"])
def test_trap_12_enums_are_read_in_any_case_and_with_stray_spaces(status: str) -> None:
    assert fee(product("P1", price("20.00"), status=status)) == 20


def test_trap_12_the_official_list_itself_has_a_stray_space() -> None:
    aborted = product("P2", price("5.00"), status="aborted ")
    assert fee(product("P1", price("20.00")), aborted) == 20


@pytest.mark.parametrize("value", ["NaN", "1E+999999", "Infinity", "twenty", True, {}, "0x14"])
def test_trap_14_an_absurd_number_costs_its_customer_and_not_the_batch(value: object) -> None:
    bad = product("P1", price(price={"dutyFreeAmount": {"unit": "GBP", "value": value}}))
    result = revenue_result(
        [Found(billing(bad)), Found(billing(product("P1", price("20.00"))))],
        source="tmf",
        is_estimate=False,
        reporting_currency="GBP",
    )
    assert (result.priced_customer_count, result.unpriced_customer_count) == (1, 1)
    assert result.total_revenue_at_risk == 20.0


def test_trap_14_a_product_that_is_null_costs_its_customer_and_does_not_raise() -> None:
    assert fee(product("P1", price("20.00")), None) is None
    assert fee(product("P1", price("20.00"), productPrice=[price("20.00"), None])) is None


def test_trap_14_numbers_may_be_strings_and_lists_may_be_objects_with_one_element() -> None:
    only = price(price=[{"dutyFreeAmount": [{"unit": "gbp ", "value": " 20.00 "}]}])
    assert fee(product("P1", productPrice=only, productOffering=[{"name": "Fibre"}])) == 20


def test_a_fallback_is_for_customers_without_any_price_and_takes_only_the_latest_period() -> None:
    september = ("2026-09-01T00:00:00Z", "2026-09-30T23:59:59Z")
    reading = read_products([product("P1")], ProductRules(), NOW, connection="vendor")
    assert reading.pricing is Pricing.NO_PRICE
    rows = [rate("10.00", september), rate("20.00"), rate("99.00", type="usageCharge")]
    assert with_applied_rates(reading, rows, PriceRules(), NOW).monthly_fee == 20
