"""What is Cerillion's own: accounts, its status codes, its tickets, balances and gaps in prices."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.cerillion_adapter import PROFILE, CerillionBSSAdapter
from adapters.exchange import Api
from adapters.outcome import Billing, Dispute, Found, Missing, Reason, Unavailable
from tests.unit.tmf.pretend import Asked, Pretend, fee, party, product, reply, ticket

EXTENDED = {"@referredType": "BillingAccountExtended"}


def owned(row: dict[str, Any], account_id: str, role: str = "OWNER") -> dict[str, Any]:
    """The row as Cerillion names its owner."""
    return row | {"relatedParty": [party(account_id, role) | EXTENDED]}


def bought(fee: str | None = "20.00", **more: Any) -> dict[str, Any]:
    return owned(product(None, fee, product_id="P"), "10000001") | {
        "billingAccount": {"id": "10000001"},
        "subStatus": "CU",
        **more,
    }


def billed(amount: str, kind: str, month: int) -> dict[str, Any]:
    return {
        "id": f"{kind} {month}",
        "type": kind,
        "date": f"2026-{month + 1:02d}-01T00:00:00Z",
        "billingAccount": {"id": "10000001"},
        "product": {"id": "P"},
        "periodCoverage": {
            "startDateTime": f"2026-{month:02d}-01T00:00:00Z",
            "endDateTime": f"2026-{month + 1:02d}-01T00:00:00Z",
        },
        "taxExcludedAmount": {"unit": "GBP", "value": Decimal(amount)},
    }


async def test_products_are_asked_for_by_account_and_by_its_own_codes() -> None:
    vendor = Pretend(rows={"product": [bought("29.99")]}, separator=",")
    asked = Asked(vendor, make=CerillionBSSAdapter)
    [found] = await asked.billing("10000001")
    assert fee(found) == Decimal("29.99")
    assert asked.exchange.requests[0].query[:2] == (
        ("billingAccount.id", "10000001"),
        ("subStatus", "CU,FA,TA,RP,TP"),
    )


@pytest.mark.parametrize("role", ["OWNER", "ACCOWNER", "accowner"])
async def test_an_account_may_be_named_as_a_related_party(role: str) -> None:
    row = owned(product(None, product_id="P"), "10000001", role)
    asked = Asked(lambda _request: reply([row]), make=CerillionBSSAdapter)
    [found] = await asked.billing("10000001")
    assert fee(found) == Decimal("20.00")


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({"status": None, "subStatus": "FA"}, Decimal("20.00")),
        ({"status": "CU"}, Decimal("20.00")),
        ({"status": None, "subStatus": "TE"}, None),
        ({"status": "terminated", "subStatus": "CU"}, None),
        ({"status": "Current", "subStatus": "CU"}, Decimal("20.00")),
        ({"status": "Ceased", "subStatus": "TE"}, None),
    ],
)
async def test_a_product_is_charged_by_its_status_or_its_sub_status(
    statuses: dict[str, Any], expected: Decimal | None
) -> None:
    asked = Asked(lambda _request: reply([bought(**statuses)]), make=CerillionBSSAdapter)
    [found] = await asked.billing("10000001")
    assert fee(found) == expected


async def test_a_status_that_nobody_knows_and_no_code_explains_leaves_the_fee_open() -> None:
    rows = [bought(), bought(id="Q", status="Current", subStatus=None)]
    asked = Asked(lambda _request: reply(rows), make=CerillionBSSAdapter)
    [found] = await asked.billing("10000001")
    assert fee(found) is None


async def test_a_price_that_is_not_filled_falls_back_to_the_latest_recurring_rate() -> None:
    rows = {
        "product": [bought(None)],
        "appliedCustomerBillingRate": [
            billed("18.00", "recurring", 9),
            billed("17.50", "recurring", 10),
            billed("5.00", "usage", 10),
        ],
    }
    asked = Asked(Pretend(rows=rows, separator=","), make=CerillionBSSAdapter)
    [found] = await asked.billing("10000001")
    assert fee(found) == Decimal("17.50")
    rates = asked.asked("appliedCustomerBillingRate")
    assert [one.query[0] for one in rates] == [("billingAccount.id", "10000001")]


async def test_an_account_exists_when_it_is_there_by_its_number() -> None:
    asked = Asked(Pretend(rows={"billingAccount": [{"id": "10000001"}]}), make=CerillionBSSAdapter)
    assert await asked.billing("10000001", "10000002") == [Found(Billing()), Missing()]


async def test_tickets_are_asked_for_by_the_account_that_they_are_related_to() -> None:
    row = owned(ticket(None), "10000001") | {
        "relatedEntity": [{"id": "10000001", "billingAccount": {"id": "10000001"}}]
    }
    asked = Asked(Pretend(rows={"troubleTicket": [row]}), make=CerillionBSSAdapter)
    assert [one.value for one in await asked.disputes("10000001", "10000002")] == [
        Dispute(active=True),
        Dispute(active=False),
    ]
    assert asked.exchange.requests[0].query[0] == ("relatedEntity.billingAccount.id", "10000001")


async def test_a_disputed_balance_says_type_for_balance_type() -> None:
    balance = {"type": "disputed balance", "amount": {"value": Decimal("7.25")}}
    vendor = Pretend(rows={"billingAccount": [{"id": "10000001", "accountBalance": [balance]}]})
    asked = Asked(vendor, make=CerillionBSSAdapter, dispute_sources=("disputed_balance",))
    assert [one.value for one in await asked.disputes("10000001")] == [Dispute(active=True)]


async def test_a_strangers_account_is_left_out_where_the_filter_is_ignored() -> None:
    stranger = owned(product(None, "99.00", product_id="Q"), "10000002")
    asked = Asked(lambda _request: reply([bought(), stranger]), make=CerillionBSSAdapter)
    [found] = await asked.billing("10000001")
    assert fee(found) == Decimal("20.00")


async def test_a_wrong_path_makes_nobody_missing() -> None:
    asked = Asked(
        Pretend(overrides=lambda request: reply(None, 404) if "/" in request.path else None),
        make=CerillionBSSAdapter,
    )
    assert await asked.billing("10000001") == [Unavailable(Reason.BAD_RESPONSE)]


def test_the_apis_are_on_the_vendors_own_paths() -> None:
    assert {api: PROFILE.path_of(api) for api in Api} == {
        Api.PRODUCT_INVENTORY: "product/1.0/",
        Api.ACCOUNT: "account/1.0/",
        Api.CUSTOMER: "customer/1.0/",
        Api.CUSTOMER_BILL: "bill/1.0/",
        Api.TROUBLE_TICKET: "troubleTicket/1.0/",
    }


def test_its_answers_are_live_and_carry_its_name() -> None:
    adapter = Asked(Pretend(), make=CerillionBSSAdapter).adapter()
    assert (adapter.source, adapter.is_estimate) == ("cerillion", False)
