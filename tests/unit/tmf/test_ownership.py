"""Whose row is it? An ignored filter returns everybody's data."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.exchange import VendorReply, VendorRequest
from adapters.outcome import Billing, Found, LookupFailed, Missing, Reason, Unavailable
from adapters.tmf.ownership import (
    MOST_VERSIONS,
    Subject,
    names_of,
    names_of_account,
    names_of_customer,
    names_of_ticket,
    share_out,
)
from adapters.tmf.profile import Profile
from tests.unit.tmf.garbage import garbage
from tests.unit.tmf.pretend import Asked, Pretend, account, fee, party, product, reply, ticket

PROFILE = Profile()
BY_ACCOUNT = Profile(id_kind="account")
NAMINGS = (names_of, names_of_account, names_of_customer, names_of_ticket)


def owned(rows: list[Any], *vendor_ids: str, profile: Profile = PROFILE) -> dict[str, list[Any]]:
    """The ids of the rows of each."""
    subjects = [Subject.of(vendor_id, profile) for vendor_id in vendor_ids]
    shares = share_out(rows, subjects, names_of, profile)
    assert shares is not None
    return {vendor_id: [row["id"] for row in share.rows] for vendor_id, share in shares.items()}


@pytest.mark.parametrize("version", ["v4", "v5"])
async def test_a_vendor_that_ignores_filters_gives_everybody_only_their_own(version: str) -> None:
    rows = [product(f"C{n}", f"{n}.00", version=version) for n in range(1, 40)]
    vendor = Pretend(rows={"product": rows, "customer": [{"id": "C99"}]}, ignores_filters=True)
    asked = Asked(vendor, version=version, page_size=40)
    first, second, unpriced, unknown = await asked.billing("C1", "C39", "C99", "C100")
    assert (fee(first), fee(second)) == (Decimal("1.00"), Decimal("39.00"))
    assert (unpriced, unknown) == (Found(Billing()), Missing())


@pytest.mark.parametrize("version", ["v4", "v5"])
@pytest.mark.parametrize("style", ["off", "repeat"])
@pytest.mark.parametrize("page_cap", [10, 99])
async def test_a_full_page_of_strangers_is_refused_before_another_is_asked_for(
    page_cap: int, style: str, version: str
) -> None:
    """Whether the vendor ends a page or sends everybody at once; nobody is missing for that."""
    rows = [product(f"C{n}", version=version) for n in range(1, 100)]
    vendor = Pretend(rows={"product": rows}, ignores_filters=True, page_cap=page_cap)
    asked = Asked(vendor, version=version, batch_style=style, page_size=20)
    vendor_ids = ["C1", "C2", "C3", "C98", "C100"]
    assert await asked.billing(*vendor_ids) == [Unavailable(Reason.BAD_RESPONSE)] * 5
    assert len(asked.exchange.requests) == (5 if style == "off" else 1)


async def test_a_full_page_of_strangers_is_refused_inside_of_the_guard() -> None:
    rows = [product(f"C{n}") for n in range(30)]
    vendor, refused = Pretend(rows={"product": rows}, ignores_filters=True), []

    async def guarded(request: VendorRequest) -> VendorReply:
        answer = vendor(request)
        with pytest.raises(LookupFailed) as failed:
            request.verify(answer)
        refused.append(failed.value.reason)
        return answer

    await Asked(guarded, page_size=10).billing("C1")
    assert refused == [Reason.BAD_RESPONSE]


async def test_pages_that_name_the_customer_in_any_role_or_nobody_are_no_strangers() -> None:
    """Which of their rows count is another matter: the filter was honoured."""
    others = [{"id": "SP", "role": "service provider"}, {"id": "C9", "role": "customer"}]
    rows = [
        product("C1", "10.00", product_id="mine"),
        *(product(None, product_id=f"R{n}", relatedParty=[*others, {"id": "C1", "role": "payer"}])
          for n in range(15)),
        *(product(None, product_id=f"N{n}") for n in range(15)),
    ]  # fmt: skip
    asked = Asked(Pretend(rows={"product": rows}), page_size=10, trust_filter=True)
    exchange = asked.exchange
    await asked.billing("C1")
    assert len([one for one in exchange.requests if one.path == "product"]) > 1


async def test_accounts_that_are_shared_are_no_strangers() -> None:
    rows = {
        "billingAccount": [account("A1", "C1")],
        "product": [
            product("C2", "1.00", product_id=f"P{n}", billingAccount={"id": "A1"})
            for n in range(15)
        ] + [product("C1", "10.00", billingAccount={"id": "A1"})],
    }  # fmt: skip
    asked = Asked(Pretend(rows=rows), product_query="account", page_size=10)
    [found] = await asked.billing("C1")
    assert fee(found) == Decimal("10.00")


async def test_an_ignored_filter_on_accounts_does_not_bring_in_a_strangers_products() -> None:
    rows = {
        "billingAccount": [account("A1", "C1"), account("A2", "C2")],
        "product": [
            product("C1", "10.00", billingAccount={"id": "A1"}),
            product("C2", "99.00", billingAccount={"id": "A2"}),
        ],
    }
    asked = Asked(Pretend(rows=rows, ignores_filters=True), product_query="party_and_account")
    [found] = await asked.billing("C1")
    assert fee(found) == Decimal("10.00")
    assert [one.query[1] for one in asked.asked("product")] == [("billingAccount.id", "A1")]


async def test_a_row_that_names_no_owner_is_refused() -> None:
    """Among strangers' rows it is anybody's."""
    rows = [product("C1", "20.00"), product(None, "99.00"), product("C2", "5.00")]
    vendor = Pretend(rows={"product": rows}, ignores_filters=True)
    [found] = await Asked(vendor).billing("C1")
    assert fee(found) == Decimal("20.00")


@pytest.mark.parametrize("style", ["off", "repeat"])
async def test_a_refused_row_that_may_be_the_customers_leaves_its_fee_open(style: str) -> None:
    """As long as no stranger's row shows that the filter was ignored."""

    def vendor(request: VendorRequest) -> VendorReply:
        rows = {
            "C1": [product("C1", "20.00"), product(None, "99.00")],
            "C2": [product("C2", "5.00")],
        }
        asked = [value for name, value in request.query if name == "relatedParty.id"]
        return reply([row for customer in asked for row in rows[customer]])

    first, second = await Asked(vendor, batch_style=style).billing("C1", "C2")
    assert (fee(first), fee(second)) == (None, Decimal("5.00"))


@pytest.mark.parametrize("style", ["off", "repeat"])
async def test_rows_of_one_customer_without_an_owner_cost_no_other_customer(style: str) -> None:
    def vendor(request: VendorRequest) -> VendorReply:
        if request.path != "product":
            return reply({"id": request.path.removeprefix("customer/")})
        return reply([product(None)] if ("relatedParty.id", "C1") in request.query else [])

    found = await Asked(vendor, batch_style=style).billing("C1", "C2")
    assert found == [Unavailable(Reason.BAD_RESPONSE), Found(Billing())]


async def test_rows_that_all_name_no_owner_are_no_answer() -> None:
    vendor = Pretend(
        rows={"product": [product(None)], "customer": [{"id": "C1"}]}, ignores_filters=True
    )
    assert await Asked(vendor).billing("C1") == [Unavailable(Reason.BAD_RESPONSE)]


async def test_a_row_that_names_no_owner_is_believed_where_the_filter_is_trusted() -> None:
    rows = [product(None, "20.00"), product("C1", "5.00")]
    vendor = Pretend(rows={"product": rows}, ignores_filters=True)
    [found] = await Asked(vendor, trust_filter=True).billing("C1")
    assert fee(found) == Decimal("25.00")


async def test_a_trusted_filter_that_brings_a_strangers_row_is_trusted_no_longer() -> None:
    rows = [product(None, "20.00"), product("C2", "99.00")]
    vendor = Pretend(rows={"product": rows}, ignores_filters=True)
    [found] = await Asked(vendor, trust_filter=True).billing("C1")
    assert fee(found) is None


@pytest.mark.parametrize("query", ["account", "party_and_account"])
@pytest.mark.parametrize("style", ["off", "comma"])
async def test_a_shared_account_gives_no_customer_the_products_of_the_other(
    query: str, style: str
) -> None:
    shared = {"billingAccount": {"id": "A1"}}
    rows = {
        "billingAccount": [account("A1", "C1") | {"relatedParty": [party("C1"), party("C2")]}],
        "product": [product("C1", "10.00", **shared), product("C2", "99.00", **shared)],
    }
    vendor = Pretend(rows=rows, separator=",")
    asked = Asked(vendor, product_query=query, batch_style=style)
    assert [fee(one) for one in await asked.billing("C1", "C2")] == [10, 99]


@pytest.mark.parametrize("style", ["off", "comma"])
async def test_a_product_on_a_strangers_account_is_the_same_alone_and_in_a_batch(
    style: str,
) -> None:
    """Asked for by party and account, it is not shown to its owner, and to both of them it is."""
    rows = {
        "billingAccount": [account("A1", "C1"), account("A2", "C2")],
        "product": [
            product("C1", "10.00", billingAccount={"id": "A1"}),
            product("C1", "5.00", product_id="elsewhere", billingAccount={"id": "A2"}),
            product("C2", "20.00", billingAccount={"id": "A2"}),
        ],
    }
    vendor = Pretend(rows=rows, separator=",")
    asked = Asked(vendor, product_query="party_and_account", batch_style=style)
    assert [fee(one) for one in await asked.billing("C1", "C2")] == [10, 20]


async def test_on_a_shared_account_a_row_is_the_one_customers_whom_it_mentions() -> None:
    pays = product(None, "5.00", relatedParty=[party("C2", "payer")], billingAccount={"id": "A1"})
    rows = {"billingAccount": [{"id": "A1", "relatedParty": [party("C1"), party("C2")]}]}
    vendor = Pretend(rows=rows | {"product": [pays]}, ignores_filters=True)
    for style in ("off", "comma"):
        asked = Asked(vendor, product_query="party_and_account", batch_style=style)
        assert [one.value.monthly_fee for one in await asked.billing("C2")] == [5]
        found = await asked.billing("C2", "C9")
        assert found[0].value.monthly_fee == 5


@pytest.mark.parametrize("style", ["off", "comma"])
async def test_without_an_account_nothing_is_found_by_accounts(style: str) -> None:
    rows = {
        "billingAccount": [account("A1", "C1")],
        "product": [product("C1", "10.00", billingAccount={"id": "A1"}), product("C2", "99.00")],
        "customer": [{"id": "C2"}],
    }
    vendor = Pretend(rows=rows, separator=",", ignores_filters=True)
    asked = Asked(vendor, product_query="account", batch_style=style)
    assert [fee(one) for one in await asked.billing("C1", "C2")] == [10, None]


async def test_a_dispute_about_a_shared_account_is_each_ones() -> None:
    row = ticket("C2") | {"relatedEntity": [{"id": "A1", "@referredType": "BillingAccount"}]}
    accounts = [{"id": "A1", "relatedParty": [party("C1"), party("C2")]}]
    vendor = Pretend(rows={"troubleTicket": [row], "billingAccount": accounts})
    asked = Asked(vendor, ticket_query="account")
    assert [one.value.active for one in await asked.disputes("C1", "C2")] == [True, True]


def test_trap_9_an_id_in_another_role_does_not_own_the_row() -> None:
    rows = [
        {"id": "provided", "relatedParty": [party("C1", "service provider"), party("C2", "owner")]},
        {"id": "own", "relatedParty": [party("C1", " Owner ")]},
        {"id": "roleless", "relatedParty": [party("C1", None)]},
    ]
    assert owned(rows, "C1") == {"C1": ["own", "roleless"]}


def test_trap_9_trusting_the_filter_does_not_make_an_owner_of_a_service_provider() -> None:
    rows = [{"id": "provided", "relatedParty": [party("C1", "service provider")]}]
    assert owned(rows, "C1", profile=Profile(trust_filter=True)) == {"C1": []}


@pytest.mark.parametrize("role", [["service provider"], {"name": "reseller"}, Decimal(1)])
def test_trap_9_a_role_that_can_not_be_read_is_not_taken_for_none(role: Any) -> None:
    rows = [{"id": "P", "relatedParty": [party("C1") | {"role": role}, party("C2")]}]
    assert owned(rows, "C1", "C2") == {"C1": [], "C2": ["P"]}


@pytest.mark.parametrize("role", ["account_owner", "AccountOwner", "ACCOUNT OWNER"])
def test_roles_are_compared_without_case_spaces_and_marks(role: str) -> None:
    assert owned([{"id": "P", "relatedParty": [party("C1", role)]}], "C1") == {"C1": ["P"]}


def test_v5_names_the_party_one_level_deeper() -> None:
    rows = [{"id": "P", "relatedParty": [party("C1", "owner", version="v5")]}]
    assert owned(rows, "C1", "C2") == {"C1": ["P"], "C2": []}


def test_a_related_party_without_an_id_names_nobody() -> None:
    rows = [{"id": "P", "relatedParty": [{"role": "customer"}, None, party("C1")]}]
    assert owned(rows, "C1") == {"C1": ["P"]}


def test_a_row_of_two_owners_is_each_ones() -> None:
    rows = [{"id": "P", "relatedParty": [party("C1"), party("C2", "owner")]}]
    assert owned(rows, "C1", "C2") == {"C1": ["P"], "C2": ["P"]}


@pytest.mark.parametrize("number", [Decimal(12345678), 12345678, "12345678", " 12345678 "])
def test_an_id_may_come_as_a_number(number: Any) -> None:
    rows = [{"id": "P", "billingAccount": {"id": number}}]
    assert owned(rows, "12345678", profile=BY_ACCOUNT) == {"12345678": ["P"]}


def test_an_account_named_as_a_related_party_owns_in_an_owning_role_only() -> None:
    extended = {"@referredType": "BillingAccountExtended"}
    rows = [
        {"id": "own", "relatedParty": [party("11", "OWNER") | extended]},
        {"id": "paid", "relatedParty": [party("11", "PAYER") | extended]},
        {"id": "namesake", "relatedParty": [party("11", "OWNER")]},
        {"id": "other", "billingAccount": {"id": "12"}},
    ]
    assert owned(rows, "11", profile=BY_ACCOUNT) == {"11": ["own"]}


def test_an_account_of_the_customer_owns_a_row_that_names_no_party() -> None:
    subject = Subject("C1", "C1", ("A1",))
    rows = [
        {"id": "P", "billingAccount": {"id": "A1"}},
        {"id": "Q", "billingAccount": {"id": "A2"}},
    ]
    shares = share_out(rows, [subject], names_of, PROFILE)
    assert shares is not None
    assert [row["id"] for row in shares["C1"].rows] == ["P"]


def test_a_ticket_names_an_account_among_its_related_entities_but_no_bill_of_its_number() -> None:
    bill, account_ref = {"@referredType": "CustomerBill"}, {"@referredType": "BillingAccount"}
    rows = [
        {"id": "v4", "relatedEntity": [{"id": "11", **account_ref}]},
        {"id": "v5", "relatedEntity": [{"role": "r", "entity": {"id": "11", **account_ref}}]},
        {"id": "untyped", "relatedEntity": {"id": "11"}},
        {"id": "nested", "relatedEntity": [{"billingAccount": {"id": "11"}}]},
        {"id": "bill", "relatedEntity": [{"id": "11", **bill}]},
        {"id": "bill v5", "relatedEntity": [{"entity": {"id": "11", **bill}}]},
    ]
    shares = share_out(rows, [Subject.of("11", BY_ACCOUNT)], names_of_ticket, BY_ACCOUNT)
    assert shares is not None
    assert [row["id"] for row in shares["11"].rows] == ["v4", "v5", "untyped", "nested"]


def test_equal_rows_without_an_id_leave_it_open_how_many_there_are() -> None:
    row = {"relatedParty": [party("C1")]}
    shares = share_out([row, dict(row)], [Subject.of("C1", PROFILE)], names_of, PROFILE)
    assert shares is not None
    assert shares["C1"].is_doubtful
    assert len(shares["C1"].rows) == 1


def test_a_flood_of_versions_of_one_resource_is_cut_short_and_leaves_its_price_open() -> None:
    flood = [{**product("C1", f"{n}.00"), "id": "P1"} for n in range(MOST_VERSIONS + 1)]
    for count, is_doubtful in (MOST_VERSIONS, False), (MOST_VERSIONS + 1, True):
        shares = share_out(flood[:count], [Subject.of("C1", PROFILE)], names_of, PROFILE)
        assert shares is not None
        assert len(shares["C1"].rows) == MOST_VERSIONS
        assert shares["C1"].is_doubtful is is_doubtful


def test_rows_with_a_signalling_nan_are_told_apart_without_raising() -> None:
    rows = [product("C1", price=Decimal("sNaN")), product("C1", price=Decimal("sNaN"))]
    assert owned(rows, "C1") == {"C1": ["product of C1", "product of C1"]}


def test_a_row_that_cannot_be_read_is_anybodys_where_the_filter_was_ignored() -> None:
    subject = Subject.of("C1", PROFILE)
    alone = share_out([None], [subject], names_of, PROFILE)
    among_others = share_out([None, product("C2")], [subject], names_of, PROFILE)
    assert alone is not None
    assert alone["C1"].is_doubtful
    assert among_others is not None
    assert not among_others["C1"].is_doubtful


@given(rows=st.lists(garbage(), max_size=6), naming=st.sampled_from(NAMINGS))
def test_whatever_rows_hold_they_never_raise_and_a_strangers_row_is_never_owned(
    rows: list[Any], naming: Any
) -> None:
    stranger = {"id": "S", "relatedParty": [party("C2")], "engagedParty": {"id": "C2"}}
    try:
        shares = share_out([*rows, stranger], [Subject.of("C1", PROFILE)], naming, PROFILE)
    except LookupFailed as failure:
        assert failure.reason is Reason.BAD_RESPONSE  # noqa: PT017  (both outcomes are right)
    else:
        assert shares is not None
        assert stranger not in shares["C1"].rows
