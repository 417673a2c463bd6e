from decimal import Decimal
from itertools import permutations

import pytest

from adapters.tmf.products import Pricing, ProductRules, Reading, read_products
from tests.unit.tmf.rows import NOW, Json, price, product


def read(*rows: object) -> Reading:
    return read_products(rows, ProductRules(), NOW, connection="vendor")


def fee(*rows: object) -> Decimal | None:
    return read(*rows).billing.monthly_fee


def related(kind: str, other: Json, version: str) -> Json:
    target = {"product": other} if version == "v4" else {"id": other["id"], "href": "…"}
    return {"productRelationship": [{"relationshipType": kind, **target}]}


def reference(row: Json) -> Json:
    return {"id": row["id"], "href": f"…/product/{row['id']}"}


PART = product("PART", price("12.00"))


@pytest.mark.parametrize("kind", ["bundles", "bundled", " Bundled ", "contains"])
@pytest.mark.parametrize("version", ["v4", "v5"])
@pytest.mark.parametrize(("own", "expected"), [([price("30.00")], 30), ([], 12)])
def test_a_bundle_names_its_parts_by_relationship(
    kind: str, version: str, own: list[Json], expected: int
) -> None:
    bundle = product("BUNDLE", *own, isBundle=True, **related(kind, reference(PART), version))
    for order in permutations([bundle, PART]):
        assert fee(*order) == expected


@pytest.mark.parametrize("version", ["v4", "v5"])
def test_a_part_names_its_bundle_by_relationship(version: str) -> None:
    bundle = product("BUNDLE", price("30.00"))
    part = {**PART, **related("bundledBy", reference(bundle), version)}
    for order in permutations([bundle, part]):
        assert fee(*order) == 30


@pytest.mark.parametrize("is_bundle", [True, None])
def test_bundled_written_on_the_part_is_understood_when_it_says_that_it_is_no_bundle(
    *, is_bundle: bool | None
) -> None:
    bundle = product("BUNDLE", price("30.00"), isBundle=is_bundle)
    part = product("PART", price("12.00"), isBundle=False, **related("bundled", bundle, "v5"))
    for order in permutations([bundle, part]):
        assert fee(*order) == 30


def test_a_nested_part_that_comes_as_a_row_too_is_counted_once() -> None:
    for nested in (PART, reference(PART), {**PART, "status": " ACTIVE"}):
        bundle = product("BUNDLE", isBundle=True, product=[nested])
        for order in permutations([bundle, PART]):
            assert fee(*order) == 12


def test_a_nested_part_stands_for_a_list_of_it() -> None:
    assert fee(product("BUNDLE", product=PART)) == 12


def test_a_part_without_a_status_or_account_has_its_bundles() -> None:
    part = product("PART", price("12.00"), status=None, billingAccount=None)
    assert fee(product("BUNDLE", product=[part])) == 12
    assert read(product("BUNDLE", product=[part], status="terminated")).pricing is Pricing.NO_PRICE


def test_parts_of_an_ended_bundle_stand_alone() -> None:
    bundle = product("BUNDLE", price("30.00"), status="terminated", product=[PART])
    assert fee(bundle) == 12


def test_an_ended_part_of_an_unpriced_bundle_is_not_charged() -> None:
    ended = product("OLD", price("9.00"), status="terminated")
    assert fee(product("BUNDLE", product=[PART, ended])) == 12


def test_a_price_covers_parts_of_parts() -> None:
    middle = product("MIDDLE", product=[PART])
    assert fee(product("BUNDLE", price("30.00"), product=[middle])) == 30
    assert fee(product("BUNDLE", product=[middle])) == 12


def test_a_part_of_two_bundles_counts_once_and_only_if_neither_has_a_price() -> None:
    first, second = product("B1", product=[PART]), product("B2", product=[PART])
    assert read(first, {**second, "productPrice": [price("30.00")]}).billing.monthly_fee == 30
    assert fee(first, {**second, "productPrice": [price("1", priceType="one time")]}) == 12
    assert fee(first, second) == 12


def test_a_real_zero_is_the_bundles_price() -> None:
    assert fee(product("BUNDLE", price("0.00"), product=[PART])) == 0


def test_a_discount_on_the_bundle_is_no_price_but_lowers_its_parts() -> None:
    discount = price("2.00", priceType="recurring discount")
    assert fee(product("BUNDLE", discount, product=[PART])) == 10


def test_a_one_time_price_of_the_bundle_does_not_cover_its_parts() -> None:
    assert fee(product("BUNDLE", price("50", priceType="one time"), product=[PART])) == 12


def test_a_bundles_price_that_is_only_in_the_catalog_is_unknown_and_still_covers_its_parts() -> (
    None
):
    bundle = product(
        "BUNDLE", price(price=None, productOfferingPrice={"id": "POP"}), product=[PART]
    )
    assert read(bundle).pricing is Pricing.NO_PRICE
    assert read(bundle, product("P2", price("5"))).pricing is Pricing.UNDECIDABLE


def test_parts_without_prices_are_included_in_their_family() -> None:
    assert fee(product("BUNDLE", product=[PART, product("ROUTER")])) == 12
    assert fee(product("BUNDLE", price("30.00"), product=[product("ROUTER")])) == 30


def test_the_plan_of_a_part_is_its_bundle() -> None:
    bundle = product("BUNDLE", product=[PART, product("TV", price("9"))], name="Home")
    found = read(bundle, product("MOBILE", price("20"), name="Mobile"))
    assert found.billing.plan_name == "Home"
    assert found.billing.monthly_fee == 41


def test_other_relationships_bundle_nothing_and_bring_no_products() -> None:
    other = product("OTHER", price("99"))
    for kind in ("reliesOn", "sells", "migratesTo", ""):
        assert fee(product("P1", price("20"), **related(kind, other, "v4"))) == 20


def test_bundles_that_run_in_a_circle_are_undecidable() -> None:
    one = product("A", price("1"), **related("bundles", {"id": "B"}, "v5"))
    other = product("B", price("2"), **related("bundles", {"id": "A"}, "v5"))
    assert read(one, other).pricing is Pricing.UNDECIDABLE
    itself = product("A", price("1"), **related("bundles", {"id": "A"}, "v5"))
    assert read(itself).pricing is Pricing.UNDECIDABLE


@pytest.mark.parametrize("parts", ["PART", [None], ["PART"], Decimal(1)])
def test_parts_that_are_no_products_are_undecidable(parts: object) -> None:
    assert read(product("BUNDLE", price("30"), product=parts)).pricing is Pricing.UNDECIDABLE


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "terminated"},
        {"productPrice": [price("13.00")]},
        {"billingAccount": {"id": "ACC-2"}},
        {"terminationDate": "2020-01-01"},
    ],
)
def test_rows_of_one_product_that_contradict_each_other_are_undecidable(changes: Json) -> None:
    known = {**PART, "terminationDate": "2030-01-01"}
    for order in permutations([known, {**known, **changes}, product("P2", price("5.00"))]):
        assert read(*order).pricing is Pricing.UNDECIDABLE


def test_rows_of_one_product_complete_each_other() -> None:
    with_price = {**PART, "billingAccount": None, "status": None}
    with_status = {**PART, "productPrice": [], "billingAccount": [{"id": "ACC-1"}]}
    for order in permutations([with_price, with_status, PART]):
        assert fee(*order) == 12


def test_products_without_an_id_are_each_their_own() -> None:
    assert fee(product(None, price("5")), product(None, price("5"))) == 10


def test_a_reference_to_what_was_not_sent_is_no_product() -> None:
    assert fee(product("BUNDLE", price("30"), product=[{"id": "GONE", "name": "…"}])) == 30


def test_a_part_that_is_told_twice_is_held_once_and_a_relation_to_nothing_is_none() -> None:
    bundle = product("BUNDLE", product=[PART], **related("bundles", reference(PART), "v5"))
    assert fee(bundle, PART) == 12
    assert fee(product("P1", price("20"), productRelationship=["bundles"])) == 20
    nowhere: Json = {"relationshipType": "bundles"}
    assert fee(product("P1", price("20"), productRelationship=[nowhere])) == 20
