"""What is CSG's own: several accounts, three filters at once, faults in a success."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.csg_adapter import PROFILE, CSGBSSAdapter
from adapters.exchange import Api
from adapters.outcome import Billing, Dispute, Found, Missing, Reason, Unavailable
from tests.unit.tmf.pretend import Asked, Pretend, account, fee, product, reply, ticket

FIRST, SECOND = "8448010000000101", "8448010000000102"
ROWS: dict[str, list[Any]] = {
    "billingAccount": [account(FIRST, "C1", "customer"), account(SECOND, "C1", "CUSTOMER")],
    "product": [
        product("C1", "20.00", product_id="P1", billingAccount={"id": FIRST}),
        product("C1", "9.99", product_id="P2", billingAccount={"id": SECOND}, status="suspended"),
        product("C1", "99.00", product_id="P3", billingAccount={"id": FIRST}, status="terminated"),
    ],
    "customer": [{"id": "C2"}],
    "troubleTicket": [ticket("C1")],
}
FILTERS = ["relatedParty.id", "billingAccount.id", "status"]


async def test_the_fee_is_the_sum_over_all_accounts_of_the_customer() -> None:
    [found] = await Asked(Pretend(rows=ROWS), make=CSGBSSAdapter).billing("C1")
    assert fee(found) == Decimal("29.99")
    assert found.value.plan_name == "Plan of C1"


async def test_each_status_is_asked_for_by_itself_since_a_facade_may_take_no_more() -> None:
    asked = Asked(Pretend(rows=ROWS), make=CSGBSSAdapter)
    [found] = await asked.billing("C1")
    assert fee(found) == Decimal("29.99")
    queries = [one.query for one in asked.asked("product")]
    assert [[name for name, _ in query[:3]] for query in queries] == [FILTERS] * 6
    assert {query[1][1] for query in queries} == {FIRST, SECOND}
    assert {query[2][1] for query in queries} == {"active", "pendingTerminate", "suspended"}


async def test_a_facade_that_takes_several_statuses_is_asked_once_for_each_account() -> None:
    asked = Asked(Pretend(rows=ROWS, separator=","), make=CSGBSSAdapter, status_style="comma")
    [found] = await asked.billing("C1")
    assert fee(found) == Decimal("29.99")
    assert [one.query[:3] for one in asked.asked("product")] == [
        tuple(zip(FILTERS, ("C1", account_id, "active,pendingTerminate,suspended"), strict=True))
        for account_id in (FIRST, SECOND)
    ]


async def test_accounts_that_the_customer_does_not_own_are_not_asked_about() -> None:
    rows = ROWS | {"billingAccount": [account(FIRST, "C1", "service provider")]}
    asked = Asked(Pretend(rows=rows), make=CSGBSSAdapter)
    await asked.billing("C1")
    assert asked.asked("product") == []


async def test_a_customer_without_accounts_exists_or_is_missing() -> None:
    asked = Asked(Pretend(rows=ROWS), make=CSGBSSAdapter)
    assert await asked.billing("C2", "C3") == [Found(Billing()), Missing()]
    assert [one.path for one in asked.asked("customer")] == ["customer/C2", "customer/C3"]


async def test_a_fault_in_a_200_is_an_error_of_the_vendor() -> None:
    asked = Asked(lambda _request: reply({"Fault": {"Code": "1"}}), make=CSGBSSAdapter)
    assert await asked.billing("C1") == [Unavailable(Reason.VENDOR_ERROR)]
    assert await asked.disputes("C1") == [Unavailable(Reason.VENDOR_ERROR)]


async def test_account_numbers_of_16_digits_may_come_as_numbers() -> None:
    number = Decimal(FIRST)
    rows = ROWS | {
        "billingAccount": [account(number, "C1")],
        "product": [product("C1", "20.00", billingAccount={"id": number})],
    }
    [found] = await Asked(Pretend(rows=rows, separator=","), make=CSGBSSAdapter).billing("C1")
    assert fee(found) == Decimal("20.00")
    assert found.value.account_id is not None


async def test_disputes_are_tickets_of_the_customer() -> None:
    asked = Asked(Pretend(rows=ROWS), make=CSGBSSAdapter)
    assert [one.value for one in await asked.disputes("C1", "C2")] == [
        Dispute(active=True),
        Dispute(active=False),
    ]


@pytest.mark.parametrize("version", ["v4", "v5"])
def test_the_apis_are_laid_out_as_the_tm_forum_does(version: Any) -> None:
    profile = PROFILE.with_settings({"version": version})
    assert profile.path_of(Api.PRODUCT_INVENTORY) == f"productInventory/{version}/"
    assert profile.path_of(Api.CUSTOMER_BILL) == f"customerBillManagement/{version}/"


def test_its_answers_are_live_and_carry_its_name() -> None:
    adapter = Asked(Pretend(), make=CSGBSSAdapter).adapter()
    assert (adapter.source, adapter.is_estimate) == ("csg", False)
