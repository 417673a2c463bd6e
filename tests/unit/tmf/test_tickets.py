"""Which customers have an active billing dispute."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from adapters.exchange import VendorReply, VendorRequest
from adapters.outcome import Dispute, Found, LookupFailed, Reason, Unavailable
from adapters.tmf.profile import Profile
from adapters.tmf.tickets import is_balance_disputed, is_bill_on_hold, is_disputed
from tests.unit.tmf.garbage import damaged, garbage
from tests.unit.tmf.pretend import NOW, Asked, Pretend, account, party, reply, ticket

ACTIVE, NONE = Found(Dispute(active=True)), Found(Dispute(active=False))
UNTOLD = Unavailable(Reason.BAD_RESPONSE)
PROFILE = Profile()
LONG_AGO = NOW - timedelta(days=400)


def ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat()


def judged(**fields: Any) -> bool | None:
    """An old dispute with these fields over it."""
    return is_disputed([ticket("C1", opened=LONG_AGO) | fields], PROFILE, NOW)


async def test_a_customer_with_an_active_dispute_ticket_disputes() -> None:
    asked = Asked(Pretend(rows={"troubleTicket": [ticket("C1")]}))
    assert await asked.disputes("C1", "C2") == [ACTIVE, NONE]
    assert [one.query[0] for one in asked.exchange.requests] == [
        ("relatedParty.id", "C1"),
        ("relatedParty.id", "C2"),
    ]


async def test_v5_tickets_name_parties_and_types_one_level_deeper() -> None:
    row = ticket(None) | {
        "ticketType": None,
        "troubleTicketSpecification": {"name": "Bill Dispute"},
        "relatedParty": [party("M", "member", version="v5"), party("C1", version="v5")],
    }
    vendor = Pretend(rows={"troubleTicket": [row]})
    assert await Asked(vendor, version="v5").disputes("C1", "C2") == [ACTIVE, NONE]


async def test_a_party_that_only_reported_a_ticket_does_not_dispute() -> None:
    row = ticket(None) | {"relatedParty": [party("C1", "reporter"), party("C2", "customer")]}
    vendor = Pretend(rows={"troubleTicket": [row]}, ignores_filters=True)
    assert await Asked(vendor).disputes("C1", "C2") == [NONE, ACTIVE]


async def test_an_unknown_customer_has_no_dispute_and_its_existence_is_not_asked_about() -> None:
    asked = Asked(Pretend())
    assert await asked.disputes("C1") == [NONE]
    assert {one.path for one in asked.exchange.requests} == {"troubleTicket"}


async def test_tickets_by_account_ask_for_the_accounts_first() -> None:
    row = ticket(None) | {"relatedEntity": [{"id": "A1", "@referredType": "BillingAccount"}]}
    rows = {"troubleTicket": [row], "billingAccount": [account("A1", "C1")]}
    asked = Asked(Pretend(rows=rows), ticket_query="account")
    assert await asked.disputes("C1", "C2") == [ACTIVE, NONE]
    assert [one.query[0] for one in asked.asked("troubleTicket")] == [("relatedEntity.id", "A1")]


@pytest.mark.parametrize(
    "state", ["acknowledged", "Pending", " held ", "IN_PROGRESS", "inProgress"]
)
def test_trap_12_active_states_are_read_in_any_spelling(state: str) -> None:
    assert judged(status=state, creationDate=ago(1)) is True


@pytest.mark.parametrize("state", ["closed", "Resolved ", "rejected", "cancelled"])
def test_any_other_official_state_is_not_active(state: str) -> None:
    assert judged(status=state, creationDate=ago(1)) is False


@pytest.mark.parametrize("state", ["open", "", None, ["pending"], Decimal(1)])
def test_a_recent_dispute_in_a_state_that_is_not_known_cannot_be_told(state: Any) -> None:
    assert judged(status=state, creationDate=ago(1)) is None
    assert judged(status=state, creationDate=ago(31)) is False


def test_a_list_with_a_vendors_own_states_is_complete() -> None:
    own = Profile(dispute_states=("OPEN", "WIP"))
    for state, expected in (("open", True), ("done", False), ("pending", False), (None, None)):
        row = ticket("C1") | {"status": state}
        assert is_disputed([row], own, NOW) is expected


def test_trap_12_a_sample_that_says_state_for_status_is_read() -> None:
    assert judged(status=None, state="pending", creationDate=ago(1)) is True


@pytest.mark.parametrize("kind", ["Bill Dispute", "bill dispute", "BILL_DISPUTE", "billDispute "])
def test_the_type_is_free_text(kind: str) -> None:
    assert judged(ticketType=kind, creationDate=ago(1)) is True


@pytest.mark.parametrize("kind", ["Network Fault", "", None, ["Bill Dispute"]])
def test_a_ticket_of_another_type_is_no_dispute(kind: Any) -> None:
    assert judged(ticketType=kind, creationDate=ago(1)) is False


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"creationDate": ago(30)}, True),
        ({"creationDate": ago(30.1)}, False),
        ({"creationDate": ago(31), "statusChangeDate": ago(2)}, True),
        ({"creationDate": ago(31), "statusChangeDate": ago(31)}, False),
        ({"statusChange": [{"changeDate": ago(90)}, {"changeDate": ago(5)}]}, True),
        ({"statusChangeHistory": [{"statusChangeDate": ago(5)}]}, True),
        ({"statusChangeHistory": {"statusChangeDate": ago(50)}}, False),
        ({"lastUpdate": ago(1)}, False),
        ({"creationDate": ago(-1)}, True),
    ],
)
def test_a_dispute_counts_when_opened_or_changed_within_the_window(
    fields: dict[str, Any], *, expected: bool
) -> None:
    assert judged(**fields) is expected


@pytest.mark.parametrize(
    "written",
    [
        "2026-10-23T12:00:00Z",
        "2026-10-23T12:00:00.000Z",
        "2026-10-23T12:00:00",
        "2026-10-23T13:00:00+01:00",
        "2026-10-23T07:00:00-0500",
        "2026-10-24",
    ],
)
def test_dates_come_with_a_zone_or_naive_and_then_mean_utc(written: str) -> None:
    """The window ends at exactly this moment, 30 days before."""
    assert judged(creationDate=written) is True


@pytest.mark.parametrize("written", ["2026-10-23T11:59:59Z", "2026-10-23T12:59:59+01:00"])
def test_a_moment_before_the_window_is_outside_in_any_zone(written: str) -> None:
    assert judged(creationDate=written) is False


def test_the_window_is_a_setting() -> None:
    week = Profile(dispute_window_days=7)
    assert is_disputed([ticket("C1", opened=NOW - timedelta(days=8))], week, NOW) is False


@pytest.mark.parametrize(
    "dates", [{"creationDate": None}, {"creationDate": "lately"}, {"creationDate": ago(-1.1)}]
)
def test_an_active_dispute_without_a_readable_date_cannot_be_told(dates: dict[str, Any]) -> None:
    assert judged(**dates) is None


def test_one_readable_date_in_the_window_is_enough() -> None:
    assert judged(creationDate="lately", statusChangeDate=ago(1)) is True


async def test_trap_14_a_malformed_ticket_costs_its_customer_only() -> None:
    vendor = Pretend(rows={"troubleTicket": [ticket("C1", opened="lately"), ticket("C2")]})
    assert await Asked(vendor).disputes("C1", "C2", "C3") == [UNTOLD, ACTIVE, NONE]


async def test_trap_14_a_ticket_that_is_null_cannot_be_told_unless_another_says_enough() -> None:
    def vendor(request: VendorRequest) -> VendorReply:
        return reply([None, ticket("C1")] if request.query[0][1] == "C1" else [None])

    assert await Asked(vendor).disputes("C1", "C2") == [ACTIVE, UNTOLD]


@given(garbage())
def test_whatever_a_ticket_holds_it_never_raises(row: Any) -> None:
    rows = [row] if isinstance(row, dict) else []
    assert is_disputed(rows, PROFILE, NOW) in (True, False, None)
    assert is_bill_on_hold(rows, PROFILE, NOW) in (True, False, None)
    assert is_balance_disputed(rows) in (True, False, None)


@given(damaged(ticket("C1")))
def test_a_ticket_damaged_in_one_place_never_raises(row: Any) -> None:
    rows = [row] if isinstance(row, dict) else []
    assert is_disputed(rows, PROFILE, NOW) in (True, False, None)


def bill(account_id: str, **more: Any) -> dict[str, Any]:
    return {"id": f"bill of {account_id}", "billingAccount": {"id": account_id}, **more}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"state": "onHold", "billDate": ago(10)}, ACTIVE),
        ({"status": "On Hold", "billDate": ago(10)}, ACTIVE),
        ({"state": "onHold", "billDate": ago(90), "lastUpdate": ago(3)}, ACTIVE),
        ({"state": "onHold", "billDate": ago(90)}, NONE),
        ({"state": "settled", "billDate": ago(10)}, NONE),
        ({"state": "onHold"}, UNTOLD),
    ],
)
async def test_a_bill_on_hold_is_a_sign_where_it_is_switched_on(
    fields: dict[str, Any], expected: object
) -> None:
    rows = {"billingAccount": [account("A1", "C1")], "customerBill": [bill("A1", **fields)]}
    assert await Asked(Pretend(rows=rows), dispute_sources=("bill_on_hold",)).disputes("C1") == [
        expected
    ]
    assert await Asked(Pretend(rows=rows)).disputes("C1") == [NONE]


@pytest.mark.parametrize(
    ("balance", "expected"),
    [
        ({"balanceType": "disputed balance", "amount": {"value": Decimal("7.25")}}, ACTIVE),
        ({"type": "DisputedBalance", "amount": {"value": "7.25"}}, ACTIVE),
        ({"balanceType": "DISPUTED", "amount": Decimal(1)}, ACTIVE),
        ({"balanceType": "disputed", "amount": {"value": Decimal(0)}}, NONE),
        ({"balanceType": "ReceivableBalance", "amount": {"value": Decimal(5)}}, NONE),
        ({"balanceType": "disputed", "amount": {"value": Decimal("NaN")}}, UNTOLD),
        ({"balanceType": "disputed"}, UNTOLD),
    ],
)
async def test_a_disputed_balance_is_a_sign_where_it_is_switched_on(
    balance: dict[str, Any], expected: object
) -> None:
    rows = {"billingAccount": [account("A1", "C1", accountBalance=[balance])]}
    switched = Asked(Pretend(rows=rows), dispute_sources=("disputed_balance",))
    assert await switched.disputes("C1", "C2") == [expected, NONE]
    assert await Asked(Pretend(rows=rows)).disputes("C1") == [NONE]


async def test_balances_of_an_account_that_is_known_are_asked_for_by_its_id() -> None:
    balance = {"type": "disputed", "amount": {"value": Decimal(1)}}
    vendor = Pretend(rows={"billingAccount": [{"id": "11", "accountBalance": balance}]})
    asked = Asked(vendor, id_kind="account", dispute_sources=("disputed_balance",))
    assert await asked.disputes("11", "12") == [ACTIVE, NONE]
    assert [one.path for one in asked.exchange.requests] == [
        "billingAccount/11",
        "billingAccount/12",
    ]


BOTH = ("trouble_ticket", "disputed_balance")


async def test_one_sign_is_enough_whatever_became_of_the_other() -> None:
    balance = {"type": "disputed", "amount": {"value": Decimal(1)}}
    rows = Pretend(rows={"billingAccount": [account("A1", "C1", accountBalance=balance)]})

    def vendor(request: VendorRequest) -> VendorReply:
        if request.path == "troubleTicket":
            raise LookupFailed(Reason.UNREACHABLE, retry_after_s=3.0)
        return rows(request)

    asked = Asked(vendor, dispute_sources=BOTH)
    assert await asked.disputes("C1", "C2") == [ACTIVE, Unavailable(Reason.UNREACHABLE, 3.0)]


async def test_a_balance_by_id_that_could_not_be_asked_is_unavailable() -> None:
    def vendor(_request: VendorRequest) -> VendorReply:
        raise LookupFailed(Reason.AUTH)

    asked = Asked(vendor, id_kind="account", dispute_sources=("disputed_balance",))
    assert await asked.disputes("11") == [Unavailable(Reason.AUTH)]
