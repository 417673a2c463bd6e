"""Missing, or just without products?"""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.exchange import VendorReply, VendorRequest
from adapters.outcome import Billing, Found, Missing, Reason, Unavailable
from tests.unit.tmf.pretend import NO_SUCH, Asked, Pretend, account, party, product, reply

WITHOUT_PRICE = Found(Billing())
BAD_RESPONSE = Unavailable(Reason.BAD_RESPONSE)


def only(path: str, answer: VendorReply) -> Callable[[VendorRequest], VendorReply | None]:
    """This answer to anything below `path`."""
    return lambda request: answer if request.path.startswith(path) else None


async def test_a_customer_who_exists_without_products_is_found_without_a_price() -> None:
    asked = Asked(Pretend(rows={"customer": [{"id": "C/1 ü"}]}))
    assert await asked.billing("C/1 ü") == [WITHOUT_PRICE]
    assert asked.exchange.requests[-1].path == "customer/C%2F1%20%C3%BC"


async def test_a_404_by_id_with_an_error_body_means_missing() -> None:
    assert await Asked(Pretend()).billing("C1") == [Missing()]


@pytest.mark.parametrize(
    "body", [None, {"error": "not found"}, {"message": "no route"}, [], "not found"]
)
async def test_a_404_by_id_without_an_error_body_is_a_wrong_path(body: Any) -> None:
    vendor = Pretend(overrides=only("customer/", reply(body, 404)))
    assert await Asked(vendor).billing("C1") == [BAD_RESPONSE]


async def test_a_vendor_whose_404_has_no_body_can_be_configured() -> None:
    vendor = Pretend(overrides=only("customer/", reply(None, 404)))
    assert await Asked(vendor, missing_needs_error_body=False).billing("C1") == [Missing()]


async def test_a_vendors_own_error_body_can_be_configured() -> None:
    vendor = Pretend(overrides=only("customer/", reply({"message": "unknown"}, 404)))
    assert await Asked(vendor, error_keys=("message",)).billing("C1") == [Missing()]


async def test_one_wrong_path_of_products_makes_nobody_missing() -> None:
    vendor = Pretend(overrides=only("product", reply(NO_SUCH, 404)))
    assert await Asked(vendor).billing("C1", "C2") == [BAD_RESPONSE, BAD_RESPONSE]


async def test_customers_with_products_are_not_asked_about_again() -> None:
    asked = Asked(Pretend(rows={"product": [product("C1")]}))
    await asked.billing("C1")
    assert len(asked.exchange.requests) == 1


@pytest.mark.parametrize("existence", ["customer_by_party", "accounts"])
async def test_an_empty_list_of_customers_or_accounts_means_missing(existence: str) -> None:
    assert await Asked(Pretend(), existence=existence).billing("C1") == [Missing()]


async def test_a_customer_is_found_by_its_party() -> None:
    rows = {"customer": [{"id": "77", "engagedParty": {"id": "I1"}}]}
    asked = Asked(Pretend(rows=rows), existence="customer_by_party", id_kind="individual")
    assert await asked.billing("I1", "I2") == [WITHOUT_PRICE, Missing()]
    assert ("engagedParty.id", "I1") in asked.asked("customer")[0].query


async def test_a_customer_is_found_by_its_accounts() -> None:
    asked = Asked(Pretend(rows={"billingAccount": [account("A1", "C1")]}), existence="accounts")
    assert await asked.billing("C1", "C2") == [WITHOUT_PRICE, Missing()]


async def test_an_account_is_found_by_its_own_id() -> None:
    vendor = Pretend(rows={"billingAccount": [{"id": "11"}]})
    asked = Asked(vendor, id_kind="account", product_query="account", existence="accounts")
    assert await asked.billing("11", "12") == [WITHOUT_PRICE, Missing()]
    assert [one.path for one in asked.asked("billingAccount")] == [
        "billingAccount/11",
        "billingAccount/12",
    ]


async def test_with_none_whoever_has_a_mapping_is_found_without_a_price() -> None:
    asked = Asked(Pretend(), existence="none")
    assert await asked.billing("C1") == [WITHOUT_PRICE]
    assert len(asked.exchange.requests) == 1


@pytest.mark.parametrize(
    "row",
    [account("A1", "C2"), account("A1", "C1", "service provider"), {"id": "A1"}, None],
    ids=["a stranger's", "another role", "nameless", "null"],
)
async def test_rows_of_which_none_is_the_customers_do_not_mean_missing(row: Any) -> None:
    vendor = Pretend(rows={"billingAccount": [row]}, ignores_filters=True)
    assert await Asked(vendor, existence="accounts").billing("C1") == [BAD_RESPONSE]


async def test_nobody_is_missing_because_the_customers_could_not_be_asked() -> None:
    vendor = Pretend(overrides=only("customer/", reply({"Fault": {}})))
    assert await Asked(vendor).billing("C1") == [Unavailable(Reason.VENDOR_ERROR)]


@pytest.mark.parametrize("vendor_id", [".", ".."])
async def test_an_id_never_changes_the_path(vendor_id: str) -> None:
    asked = Asked(Pretend(rows={"customer": [{"id": "C1"}]}))
    assert await asked.billing(vendor_id) == [Unavailable(Reason.IDENTITY)]
    assert asked.asked("customer") == []


async def test_products_that_all_ended_are_no_reason_to_ask_whether_the_customer_exists() -> None:
    asked = Asked(Pretend(rows={"product": [product("C1", status="terminated")]}))
    [found] = await asked.billing("C1")
    assert isinstance(found, Found)
    assert asked.asked("customer") == []


async def test_a_customer_listed_under_another_role_still_needs_its_own() -> None:
    rows = {"billingAccount": [{"id": "A1", "relatedParty": [party("C1", "bill receiver")]}]}
    assert await Asked(Pretend(rows=rows), existence="accounts").billing("C1") == [BAD_RESPONSE]
