"""The lookups of the TM Forum adapter: identity, accounts, one by one and side by side."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from adapters.exchange import ScriptedExchange, VendorReply, VendorRequest
from adapters.outcome import (
    Dispute,
    Found,
    Lookup,
    LookupFailed,
    Missing,
    Reason,
    Unavailable,
)
from adapters.ports import Ports
from adapters.tmf.adapter import TmfAdapter
from adapters.tmf.profile import Profile
from tests.unit.tmf.pretend import (
    Asked,
    Mapped,
    Pretend,
    account,
    call,
    fee,
    party,
    pedkai_id,
    product,
    reply,
)

CUSTOMERS = [{"id": "C1"}, {"id": "C2"}, {"id": "C3"}]


async def test_a_customer_has_the_fee_plan_and_currency_of_its_product() -> None:
    vendor = Pretend(rows={"product": [product("C1", "29.99")]})
    [found] = await Asked(vendor).billing("C1")
    assert (fee(found), found.value.plan_name, found.value.currency) == (
        Decimal("29.99"),
        "Plan of C1",
        "GBP",
    )


async def test_v5_asks_and_reads_parties_one_level_deeper() -> None:
    vendor = Pretend(rows={"product": [product("C1", version="v5"), product("C2", version="v5")]})
    asked = Asked(vendor, version="v5")
    [found] = await asked.billing("C1")
    assert fee(found) == Decimal("20.00")
    assert asked.exchange.requests[0].query[0] == ("relatedParty.partyOrPartyRole.id", "C1")


async def test_identity_is_asked_once_for_a_whole_batch() -> None:
    identity = Mapped({pedkai_id(one): one for one in ("C1", "C2")})
    vendor = ScriptedExchange(Pretend(rows={"product": [product("C1"), product("C2")]}))
    adapter = TmfAdapter(
        Ports(tenant="t", connection="c", identity=identity, exchange=vendor), Profile()
    )
    learned: dict[Any, Lookup[Any]] = {}
    await adapter.look_up_billing(list(identity.ids.known), call(), learned.__setitem__)
    assert identity.calls == 1
    assert len(learned) == 2


async def test_without_a_mapping_a_customer_is_missing_and_with_an_unread_one_unavailable() -> None:
    known, unread, unmapped, blank = pedkai_id("C1"), uuid4(), uuid4(), uuid4()
    identity = Mapped({known: "C1", blank: "  "}, [unread])
    vendor = ScriptedExchange(Pretend(rows={"product": [product("C1")]}))
    adapter = TmfAdapter(
        Ports(tenant="t", connection="c", identity=identity, exchange=vendor), Profile()
    )
    learned: dict[Any, Lookup[Any]] = {}
    await adapter.look_up_billing([known, unread, unmapped, blank], call(), learned.__setitem__)
    assert fee(learned.pop(known)) == Decimal("20.00")
    assert learned == {
        unread: Unavailable(Reason.IDENTITY),
        unmapped: Missing(),
        blank: Missing(),
    }
    assert len(vendor.requests) == 1


async def test_two_customers_with_one_vendor_id_are_asked_about_once_and_both_told() -> None:
    first, second = uuid4(), uuid4()
    vendor = ScriptedExchange(Pretend(rows={"product": [product("C1")]}))
    identity = Mapped({first: "C1", second: "C1"})
    adapter = TmfAdapter(
        Ports(tenant="t", connection="c", identity=identity, exchange=vendor), Profile()
    )
    learned: dict[Any, Lookup[Any]] = {}
    await adapter.look_up_billing([first, second], call(), learned.__setitem__)
    assert learned[first] == learned[second]
    assert len(vendor.requests) == 1


async def test_a_failed_exchange_costs_its_own_customer_only_and_keeps_its_retry_time() -> None:
    rows = Pretend(rows={"product": [product("C1"), product("C3")]})

    async def vendor(request: VendorRequest) -> VendorReply:
        if ("relatedParty.id", "C2") in request.query:
            raise LookupFailed(Reason.RATE_LIMITED, retry_after_s=7.0)
        return rows(request)

    first, second, third = await Asked(vendor).billing("C1", "C2", "C3")
    assert (fee(first), second, fee(third)) == (
        Decimal("20.00"),
        Unavailable(Reason.RATE_LIMITED, 7.0),
        Decimal("20.00"),
    )


async def test_each_customer_is_reported_while_others_are_still_open() -> None:
    rows, release = Pretend(rows={"product": [product("C1"), product("C2")]}), asyncio.Event()

    async def vendor(request: VendorRequest) -> VendorReply:
        if ("relatedParty.id", "C1") in request.query:
            await release.wait()
        return rows(request)

    learned: list[Any] = []

    def learn(customer_id: Any, _lookup: object) -> None:
        learned.append(customer_id)
        release.set()

    adapter = Asked(vendor).adapter("C1", "C2")
    await adapter.look_up_billing([pedkai_id("C1"), pedkai_id("C2")], call(), learn)
    assert learned == [pedkai_id("C2"), pedkai_id("C1")]


async def test_cancellation_reaches_every_exchange_and_passes() -> None:
    started, ended = asyncio.Semaphore(0), []

    async def vendor(_request: VendorRequest) -> VendorReply:
        started.release()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)
        raise AssertionError

    adapter, ids = Asked(vendor).adapter("C1", "C2"), [pedkai_id("C1"), pedkai_id("C2")]
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(adapter.look_up_billing(ids, call(), lambda _id, _lookup: None))
        for _ in ids:
            await started.acquire()
        task.cancel()
    assert task.cancelled()
    assert len(ended) == 2


async def test_an_error_of_our_own_costs_one_customer_and_is_not_hidden() -> None:
    rows = Pretend(rows={"product": [product("C1")]})

    def vendor(request: VendorRequest) -> VendorReply:
        if ("relatedParty.id", "C2") in request.query:
            raise ZeroDivisionError
        return rows(request)

    learned: dict[Any, Lookup[Any]] = {}
    adapter = Asked(vendor).adapter("C2", "C1")
    with pytest.raises(ZeroDivisionError):
        await adapter.look_up_billing(
            [pedkai_id("C2"), pedkai_id("C1")], call(), learned.__setitem__
        )
    assert fee(learned.pop(pedkai_id("C1"))) == Decimal("20.00")
    assert learned == {}


async def test_accounts_come_first_where_products_are_asked_by_party_and_account() -> None:
    rows = {
        "billingAccount": [account("A1", "C1"), account("A2", "C1"), account("A3", "C2")],
        "product": [
            product("C1", "10.00", product_id="P1", billingAccount={"id": "A1"}),
            product("C1", "5.50", product_id="P2", billingAccount={"id": "A2"}),
            product("C2", "99.00", product_id="P3", billingAccount={"id": "A3"}),
        ],
    }
    asked = Asked(Pretend(rows=rows), product_query="party_and_account", status_filter="status")
    [found] = await asked.billing("C1")
    assert fee(found) == Decimal("15.50")
    queries = [one.query[:3] for one in asked.asked("product")]
    assert queries == [
        (("relatedParty.id", "C1"), ("billingAccount.id", account_id), ("status", status))
        for account_id in ("A1", "A2")
        for status in ("active", "pendingTerminate", "suspended")
    ]


async def test_a_product_that_comes_with_two_queries_counts_once() -> None:
    """The vendor ignores the account filter, so each account's query brings both products."""
    rows = {
        "billingAccount": [account("A1", "C1"), account("A2", "C1")],
        "product": [product("C1", "10.00", product_id="P1"), product("C1", "5", product_id="P2")],
    }

    def vendor(request: VendorRequest) -> VendorReply:
        kept = tuple(pair for pair in request.query if pair[0] != "billingAccount.id")
        return Pretend(rows=rows)(VendorRequest(request.api, request.path, kept))

    [found] = await Asked(vendor, product_query="party_and_account").billing("C1")
    assert fee(found) == Decimal("15.00")


async def test_a_customer_without_accounts_is_never_asked_about_without_an_account() -> None:
    asked = Asked(Pretend(rows={"customer": CUSTOMERS}), product_query="party_and_account")
    [found] = await asked.billing("C1")
    assert found == Found(found.value)
    assert fee(found) is None
    assert asked.asked("product") == []


async def test_a_failed_account_query_costs_its_own_customer_only() -> None:
    rows = Pretend(
        rows={
            "billingAccount": [account("A1", "C1")],
            "product": [product("C1", billingAccount={"id": "A1"})],
        }
    )

    def vendor(request: VendorRequest) -> VendorReply:
        if request.query[0] == ("relatedParty.id", "C2"):
            raise LookupFailed(Reason.VENDOR_ERROR)
        return rows(request)

    first, second = await Asked(vendor, product_query="party_and_account").billing("C1", "C2")
    assert fee(first) == Decimal("20.00")
    assert second == Unavailable(Reason.VENDOR_ERROR)


async def test_trap_7_the_sum_of_all_accounts_is_the_fee_and_the_largest_names_them() -> None:
    rows = [
        product("C1", "10.00", product_id="P1", billingAccount={"id": "A1"}),
        product("C1", "30.00", product_id="P2", billingAccount={"id": "A2"}),
    ]
    rows[1]["productOffering"] = {"name": "Largest"}
    [found] = await Asked(Pretend(rows={"product": rows})).billing("C1")
    assert (fee(found), found.value.plan_name) == (Decimal("40.00"), "Largest")


async def test_the_fee_falls_back_to_the_applied_rate_where_no_product_carries_a_price() -> None:
    rate = {
        "id": "R1",
        "type": "recurring",
        "date": "2026-11-01T00:00:00Z",
        "billingAccount": {"id": "A1"},
        "periodCoverage": {
            "startDateTime": "2026-10-01T00:00:00Z",
            "endDateTime": "2026-11-01T00:00:00Z",
        },
        "taxExcludedAmount": {"unit": "GBP", "value": Decimal("17.50")},
    }
    rows = {
        "product": [product("C1", None)],
        "billingAccount": [account("A1", "C1")],
        "appliedCustomerBillingRate": [rate],
    }
    asked = Asked(Pretend(rows=rows), fee_fallback="applied_rate")
    [found] = await asked.billing("C1")
    assert fee(found) == Decimal("17.50")
    [found] = await Asked(Pretend(rows=rows)).billing("C1")
    assert fee(found) is None


@pytest.mark.parametrize(
    "unpriced",
    [
        product("C1", None, status="terminated"),
        product("C1", None, productPrice=[{"priceType": "recurring", "price": "garbage"}]),
    ],
    ids=["ended", "undecidable"],
)
async def test_no_fallback_is_asked_for_what_is_ended_or_carries_an_undecidable_price(
    unpriced: dict[str, Any],
) -> None:
    rows = {"product": [unpriced], "billingAccount": [account("A1", "C1")]}
    asked = Asked(Pretend(rows=rows), fee_fallback="applied_rate")
    [found] = await asked.billing("C1")
    assert fee(found) is None
    assert asked.asked("appliedCustomerBillingRate") == []


async def test_a_fallback_that_could_not_be_asked_leaves_the_customer_unavailable() -> None:
    rows = Pretend(rows={"product": [product("C1", None)], "billingAccount": [account("A1", "C1")]})

    def vendor(request: VendorRequest) -> VendorReply:
        if request.path == "appliedCustomerBillingRate":
            raise LookupFailed(Reason.UNREACHABLE)
        return rows(request)

    [found] = await Asked(vendor, fee_fallback="applied_rate").billing("C1")
    assert found == Unavailable(Reason.UNREACHABLE)


async def test_an_applied_rate_that_is_null_leaves_the_fee_unknown() -> None:
    rows = Pretend(rows={"product": [product("C1", None)], "billingAccount": [account("A1", "C1")]})

    def vendor(request: VendorRequest) -> VendorReply:
        return reply([None]) if request.path == "appliedCustomerBillingRate" else rows(request)

    [found] = await Asked(vendor, fee_fallback="applied_rate").billing("C1")
    assert isinstance(found, Found)
    assert fee(found) is None


async def test_an_account_that_is_null_leaves_the_fee_unknown() -> None:
    """Its products can't be asked for, so the sum of the others is not the fee."""
    rows = Pretend(rows={"product": [product("C1", billingAccount={"id": "A1"})]})

    def vendor(request: VendorRequest) -> VendorReply:
        accounts = [account("A1", "C1"), None]
        return reply(accounts) if request.path == "billingAccount" else rows(request)

    [found] = await Asked(vendor, product_query="party_and_account").billing("C1")
    assert isinstance(found, Found)
    assert fee(found) is None


async def test_trap_14_a_malformed_row_costs_its_customer_and_never_the_batch() -> None:
    broken: list[Any] = [
        product("C2", "1E+999999"),
        product("C3") | {"productPrice": [None]},
        product("C4") | {"productPrice": "free"},
        product("C5", "NaN"),
    ]
    vendor = Pretend(rows={"product": [product("C1"), *broken]})
    first, *rest = await Asked(vendor).billing("C1", "C2", "C3", "C4", "C5")
    assert fee(first) == Decimal("20.00")
    assert [fee(one) for one in rest] == [None] * 4


async def test_trap_14_a_row_that_is_null_leaves_its_customer_without_a_fee() -> None:
    def vendor(request: VendorRequest) -> VendorReply:
        rows = [product("C1"), None] if request.query[0][1] == "C1" else [product("C2")]
        return reply(rows)

    first, second = await Asked(vendor).billing("C1", "C2")
    assert isinstance(first, Found)
    assert (fee(first), fee(second)) == (None, Decimal("20.00"))


async def test_trap_14_a_list_may_be_an_object_and_a_number_a_string() -> None:
    row = product("C1") | {"relatedParty": party("C1")}
    row["productPrice"][0]["price"]["dutyFreeAmount"]["value"] = "20.00"
    [found] = await Asked(lambda _request: reply(row)).billing("C1")
    assert fee(found) == Decimal("20.00")


async def test_trap_12_a_status_with_stray_capitals_and_spaces_is_read() -> None:
    vendor = Pretend(rows={"product": [product("C1", status=" Active ")]})
    [found] = await Asked(vendor).billing("C1")
    assert fee(found) == Decimal("20.00")


async def test_trap_11_an_account_number_becomes_a_stable_uuid_of_its_connection() -> None:
    vendor = Pretend(
        rows={"product": [product("C1", billingAccount={"id": Decimal(8155100123456789)})]}
    )
    [first] = await Asked(vendor).billing("C1")
    [second] = await Asked(vendor).billing("C1")
    assert first.value.account_id is not None
    assert first.value.account_id == second.value.account_id


async def test_without_dispute_sources_nobody_disputes_and_nothing_is_asked() -> None:
    asked = Asked(Pretend(), dispute_sources=())
    assert await asked.disputes("C1") == [Found(Dispute(active=False))]
    assert asked.exchange.requests == []


def test_an_adapter_over_http_without_an_exchange_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an exchange"):
        TmfAdapter(Ports(tenant="t", connection="c", identity=Mapped({})), Profile())
