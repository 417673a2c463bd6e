"""How one query asks for many, and what happens to those it asks for."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.exchange import VendorReply, VendorRequest
from adapters.outcome import LookupFailed, Missing, Reason, Unavailable
from adapters.tmf.batching import URL_CHARACTERS, any_of, encoded_length, groups
from tests.unit.tmf.pretend import Asked, Pretend, account, fee, party, product, reply, ticket

SEPARATORS = {"repeat": "", "comma": ",", "semicolon": ";"}


def without_paging(request: VendorRequest) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in request.query if pair[0] not in ("offset", "limit"))


async def test_by_default_each_customer_is_asked_about_alone() -> None:
    asked = Asked(Pretend(rows={"product": [product("C1"), product("C2")]}))
    await asked.billing("C1", "C2")
    assert [without_paging(one) for one in asked.exchange.requests] == [
        (("relatedParty.id", "C1"),),
        (("relatedParty.id", "C2"),),
    ]


@pytest.mark.parametrize(
    ("style", "query"),
    [
        ("repeat", (("relatedParty.id", "C1"), ("relatedParty.id", "C2"))),
        ("comma", (("relatedParty.id", "C1,C2"),)),
        ("semicolon", (("relatedParty.id", "C1;C2"),)),
    ],
)
async def test_one_query_asks_for_many_in_the_style_of_the_connection(
    style: str, query: tuple[tuple[str, str], ...]
) -> None:
    rows = [product("C1", "10.00"), product("C2", "20.00"), product("C3", "99.00")]
    asked = Asked(Pretend(rows={"product": rows}, separator=SEPARATORS[style]), batch_style=style)
    first, second = await asked.billing("C1", "C2")
    assert (fee(first), fee(second)) == (Decimal("10.00"), Decimal("20.00"))
    assert [without_paging(one) for one in asked.exchange.requests] == [query]


@pytest.mark.parametrize("style", ["repeat", "comma", "semicolon"])
async def test_accounts_and_products_are_both_asked_for_many(style: str) -> None:
    rows = {
        "billingAccount": [account("A1", "C1"), account("A2", "C2"), account("A3", "C2")],
        "product": [
            product("C1", "10.00", product_id="P1", billingAccount={"id": "A1"}),
            product("C2", "20.00", product_id="P2", billingAccount={"id": "A2"}),
            product("C2", "5.00", product_id="P3", billingAccount={"id": "A3"}),
        ],
    }
    vendor = Pretend(rows=rows, separator=SEPARATORS[style])
    asked = Asked(vendor, batch_style=style, product_query="party_and_account")
    first, second = await asked.billing("C1", "C2")
    assert (fee(first), fee(second)) == (Decimal("10.00"), Decimal("25.00"))
    assert len(asked.exchange.requests) == 2


async def test_disputes_of_many_are_asked_for_in_one_query() -> None:
    vendor = Pretend(rows={"troubleTicket": [ticket("C2"), ticket("C9")]}, separator=",")
    asked = Asked(vendor, batch_style="comma")
    found = await asked.disputes("C1", "C2", "C3")
    assert [one.value.active for one in found] == [False, True, False]
    assert len(asked.exchange.requests) == 1


async def test_a_batch_is_no_larger_than_its_size() -> None:
    asked = Asked(Pretend(), batch_style="comma", batch_size=2)
    await asked.billing("C1", "C2", "C3")
    assert [without_paging(one) for one in asked.asked("product")] == [
        (("relatedParty.id", "C1,C2"),),
        (("relatedParty.id", "C3"),),
    ]


async def test_customers_a_batch_shows_nothing_of_are_each_asked_whether_they_exist() -> None:
    vendor = Pretend(rows={"product": [product("C1")], "customer": [{"id": "C2"}]}, separator=",")
    first, second, third = await Asked(vendor, batch_style="comma").billing("C1", "C2", "C3")
    assert (fee(first), fee(second), third) == (Decimal("20.00"), None, Missing())


async def test_trap_14_a_malformed_row_does_not_poison_the_batch() -> None:
    rows = [product("C1"), product("C2") | {"productPrice": [{"price": "x"}]}, product("C3")]
    vendor = Pretend(rows={"product": rows}, separator=",")
    found = await Asked(vendor, batch_style="comma").billing("C1", "C2", "C3")
    assert [fee(one) for one in found] == [Decimal("20.00"), None, Decimal("20.00")]


async def test_trap_14_a_row_that_cannot_be_read_is_found_by_asking_one_by_one() -> None:
    def vendor(request: VendorRequest) -> VendorReply:
        asked = request.query[0][1].split(",")
        return reply([None if one == "C2" else product(one) for one in asked])

    exchange = Asked(vendor, batch_style="comma")
    found = await exchange.billing("C1", "C2", "C3")
    assert [fee(one) for one in found] == [Decimal("20.00"), None, Decimal("20.00")]
    assert len(exchange.exchange.requests) == 4


async def test_trusted_rows_that_name_no_owner_are_told_apart_by_asking_one_by_one() -> None:
    def vendor(request: VendorRequest) -> VendorReply:
        return reply([product(None, f"{one[1:]}.00") for one in request.query[0][1].split(",")])

    found = await Asked(vendor, batch_style="comma", trust_filter=True).billing("C1", "C2")
    assert [fee(one) for one in found] == [Decimal("1.00"), Decimal("2.00")]


async def test_when_asked_one_by_one_a_failure_costs_its_own_customer_only() -> None:
    def vendor(request: VendorRequest) -> VendorReply:
        value = request.query[0][1]
        if value == "C2":
            raise LookupFailed(Reason.VENDOR_ERROR)
        return reply([None]) if "," in value else reply([product(value)])

    first, second = await Asked(vendor, batch_style="comma").billing("C1", "C2")
    assert (fee(first), second) == (Decimal("20.00"), Unavailable(Reason.VENDOR_ERROR))


async def test_a_failed_batch_costs_its_own_customers_only() -> None:
    rows = Pretend(rows={"product": [product("C3")]}, separator=",")

    def vendor(request: VendorRequest) -> VendorReply:
        if "C1" in request.query[0][1]:
            raise LookupFailed(Reason.OVERLOAD)
        return rows(request)

    first, second, third = await Asked(vendor, batch_style="comma", batch_size=2).billing(
        "C1", "C2", "C3"
    )
    assert (first, second) == (Unavailable(Reason.OVERLOAD), Unavailable(Reason.OVERLOAD))
    assert fee(third) == Decimal("20.00")


async def test_a_batch_whose_filter_is_ignored_gives_right_figures_or_none() -> None:
    rows = [product(f"C{n}", f"{n}.00") for n in range(1, 100)]
    vendor = Pretend(rows={"product": rows}, ignores_filters=True)
    found = await Asked(vendor, batch_style="comma", page_size=100).billing("C1", "C99")
    assert [fee(one) for one in found] == [Decimal("1.00"), Decimal("99.00")]
    cut = Asked(vendor, batch_style="comma", page_size=10)
    assert await cut.billing("C1", "C99") == [Unavailable(Reason.BAD_RESPONSE)] * 2
    assert len(cut.exchange.requests) == 1


async def test_an_id_with_a_separator_in_it_is_asked_about_alone() -> None:
    asked = Asked(Pretend(), batch_style="comma")
    await asked.billing("C1", "C2,C3", "C4;C5", "C6", "C7")
    assert [without_paging(one)[0][1] for one in asked.asked("product")] == [
        "C1",
        "C2,C3",
        "C4;C5",
        "C6,C7",
    ]


@given(
    values=st.lists(st.text(min_size=1, max_size=60), max_size=80),
    style=st.sampled_from(["off", "repeat", "comma", "semicolon"]),
    size=st.integers(1, 100),
)
def test_every_value_is_in_exactly_one_group_and_every_url_is_short(
    values: list[str], style: Any, size: int
) -> None:
    name = "relatedEntity.billingAccount.id"
    found = list(groups(name, values, style=style, size=size, characters=URL_CHARACTERS // 2))
    assert [value for group in found for value in group] == values
    for group in found:
        assert len(group) <= (1 if style == "off" else size)
        query = any_of(name, group, style)
        assert len(group) == 1 or encoded_length(query) <= URL_CHARACTERS // 2


@pytest.mark.parametrize("style", ["repeat", "comma", "semicolon"])
async def test_no_url_reaches_2000_characters_whatever_the_size_of_the_batch(style: str) -> None:
    owners = [f"customer/{n}/" + "é" * 20 for n in range(60)]
    accounts = [account(f"84480100{n:08d}", owner) for n, owner in enumerate(owners)]
    asked = Asked(
        Pretend(rows={"billingAccount": accounts}, separator=SEPARATORS[style]),
        batch_style=style,
        batch_size=200,
        product_query="party_and_account",
        status_filter="status",
        status_style="comma",
    )
    await asked.billing(*owners)
    lengths = [encoded_length(one.query) for one in asked.exchange.requests]
    assert len(asked.asked("product")) > 1
    assert max(lengths) < 1_700


_CUSTOMERS = ("C1", "C2", "C3")
_ACCOUNTS = ("A1", "A2", "A3")


@st.composite
def some_products(draw: st.DrawFn) -> list[Any]:
    """Products of customers who share accounts, some of them said badly or not at all."""
    whose = st.tuples(
        st.sampled_from((*_CUSTOMERS, None)),
        st.sampled_from((*_ACCOUNTS, None)),
        st.sampled_from(("customer", "payer", None)),
    )
    rows = []
    for number, (owner, account_id, role) in enumerate(draw(st.lists(whose, max_size=6))):
        row = product(None, f"{number + 1}.37", product_id=f"P{number}")
        row |= {"relatedParty": [party(owner, role)]} if owner else {}
        row |= {"billingAccount": {"id": account_id}} if account_id else {}
        rows.append(row)
    return rows


@given(
    products=some_products(),
    holders=st.tuples(*(st.sets(st.sampled_from(_CUSTOMERS), min_size=1) for _ in _ACCOUNTS)),
    query=st.sampled_from(["party", "account", "party_and_account"]),
    style=st.sampled_from(["off", "comma"]),
    ignores_filters=st.booleans(),
)
def test_a_customers_figure_is_the_same_alone_and_in_a_batch(
    products: list[Any], holders: tuple[set[str], ...], query: str, style: str, **manners: Any
) -> None:
    accounts = [
        {"id": account_id, "relatedParty": [party(one, "owner") for one in sorted(owners)]}
        for account_id, owners in zip(_ACCOUNTS, holders, strict=True)
    ]
    customers = [{"id": one} for one in _CUSTOMERS]
    rows = {"product": products, "billingAccount": accounts, "customer": customers}
    vendor = Pretend(rows=rows, separator="," if style == "comma" else "", **manners)
    asked = Asked(vendor, product_query=query, batch_style=style)

    async def both() -> tuple[list[Any], list[Any]]:
        singles = [await asked.billing(one) for one in _CUSTOMERS]
        return [lookup for [lookup] in singles], await asked.billing(*_CUSTOMERS)

    alone, together = asyncio.run(both())
    assert alone == together
