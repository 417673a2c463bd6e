"""The vendors' rows, read here once more, naively, and independently of the adapters."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import product as every

import pytest

from adapters.simulator.population import CUSTOMERS, SHAPES, Shape, truth
from adapters.simulator.references import Row
from adapters.simulator.shapes import RESOURCES, Holder, Version
from adapters.simulator.vendor_data import VendorData

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
VERSIONS: tuple[Version, ...] = ("v4", "v5")
KINDS = list(every(SHAPES, VERSIONS))


@cache
def data_of(shape: Shape, version: Version) -> VendorData:
    return VendorData.build(shape, version, tenant=f"{shape}_demo", now=NOW)


def parties(row: Row) -> Iterator[tuple[str, str]]:
    for one in row["relatedParty"]:
        yield (one.get("partyOrPartyRole") or one)["id"], one["role"]


def is_own(row: Row, shape: Shape, n: int) -> bool:
    owner = Holder(shape, n).owner
    return any(party == owner and role != "service provider" for party, role in parties(row))


def plain_fee(rows: list[Row]) -> Decimal:
    """For rows that hold a duty-free amount and a monthly period only."""
    return sum(
        (
            price["price"]["dutyFreeAmount"]["value"]
            for row in rows
            if "terminationDate" not in row
            for price in row["productPrice"]
            if "recurringChargePeriod" in price
        ),
        Decimal(0),
    )


@pytest.mark.parametrize(("shape", "version"), KINDS)
def test_the_rows_of_a_plain_customer_add_up_to_its_true_fee(
    shape: Shape, version: Version
) -> None:
    data = data_of(shape, version)
    for n in [n for n in range(CUSTOMERS) if n % 10 in (0, 5, 6)]:
        own = [row for row in data.rows_of("product", n) if is_own(row, shape, n)]
        assert plain_fee(own) == truth(data.tenant, n, NOW).monthly_fee


@pytest.mark.parametrize(("shape", "version"), KINDS)
def test_a_vendor_has_no_row_of_anybody_whom_it_does_not_know(
    shape: Shape, version: Version
) -> None:
    data = data_of(shape, version)
    for resource, n in every(RESOURCES, range(9, CUSTOMERS, 10)):
        assert data.rows_of(resource, n) == []


@pytest.mark.parametrize(("shape", "version"), KINDS)
def test_everybody_who_is_known_has_an_account_and_is_a_customer(
    shape: Shape, version: Version
) -> None:
    data = data_of(shape, version)
    for n in [n for n in range(CUSTOMERS) if n % 10 != 9]:
        own = [row["id"] for row in data.rows_of("billingAccount", n) if is_own(row, shape, n)]
        assert own == list(Holder(shape, n).accounts)
        assert [row["id"] for row in data.rows_of("customer", n)] == [Holder(shape, n).customer]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_versions_tell_the_same_in_other_words(shape: Shape) -> None:
    v4, v5 = (data_of(shape, version).rows("product") for version in VERSIONS)
    assert [row["id"] for row in v4] == [row["id"] for row in v5]
    assert all("partyOrPartyRole" not in party for row in v4 for party in row["relatedParty"])
    assert all("id" not in party for row in v5 for party in row["relatedParty"])
    names = {name for row in v5 for price in row["productPrice"] for name in price}
    assert "priceAlteration" in names
    assert "productPriceAlteration" not in names


def test_two_builds_for_the_same_moment_are_equal() -> None:
    again = VendorData.build("csg", "v4", tenant="csg_demo", now=NOW)
    assert again == data_of("csg", "v4")


@pytest.mark.parametrize("shape", SHAPES)
def test_words_are_written_in_many_ways(shape: Shape) -> None:
    rows = data_of(shape, "v4").rows("product")
    prices = [price for row in rows for price in row["productPrice"]]
    periods = {one["recurringChargePeriod"] for one in prices if "recurringChargePeriod" in one}
    assert {"monthly", "MONTHLY", "1 month", "P1M", "year", "annual"} <= periods
    kinds = {one["priceType"] for one in prices}
    assert {"Recurring", "recurringCharge", "reccurring", "oneTime", "usage"} <= kinds
    assert {"active", " ACTIVE", "Terminated ", "pendingTerminate"} <= {r["status"] for r in rows}


def test_cerillion_leaves_some_prices_out_and_bills_them_all_the_same() -> None:
    data = data_of("cerillion", "v4")
    for n in [n for n in range(2, CUSTOMERS, 10) if n % 7]:
        (row,) = data.rows_of("product", n)
        assert not any("price" in price for price in row["productPrice"])
        rates = data.rows_of("appliedCustomerBillingRate", n)
        billed = {one["taxExcludedAmount"]["value"] for one in rates if one["type"] != "usage"}
        assert billed == {truth(data.tenant, n, NOW).monthly_fee}


def test_csg_spreads_two_products_over_two_accounts_of_16_digits() -> None:
    data = data_of("csg", "v4")
    for n in range(6, CUSTOMERS, 10):
        running = [row for row in data.rows_of("product", n) if "terminationDate" not in row]
        accounts = {row["billingAccount"]["id"] for row in running}
        assert len(accounts) == 2
        assert all(len(one) == 16 and one.isdecimal() for one in accounts)


@pytest.mark.parametrize("shape", ["amdocs", "csg"])
def test_a_reseller_finds_rows_that_are_not_its_own(shape: Shape) -> None:
    rows = data_of(shape, "v4").rows_of("billingAccount", 12)
    assert [is_own(row, shape, 12) for row in rows] == [True, False]


def test_what_is_sent_is_what_the_rows_hold_to_the_last_digit() -> None:
    collection = data_of("amdocs", "v4").collections["product"]
    for row, sent in zip(collection.rows, collection.encoded, strict=True):
        assert json.loads(sent, parse_float=Decimal) == row


@pytest.mark.parametrize(("shape", "version"), KINDS)
def test_tickets_name_their_customer_and_are_dated_back_from_now(
    shape: Shape, version: Version
) -> None:
    data = data_of(shape, version)
    for n in range(5, CUSTOMERS, 50):
        (ticket,) = data.rows_of("troubleTicket", n)
        assert is_own(ticket, shape, n)
        assert ticket["ticketType"].strip().lower() == "bill dispute"
        assert 0 < (NOW - datetime.fromisoformat(ticket["creationDate"])).days < 30
