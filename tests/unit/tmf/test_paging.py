"""All pages of a list, or none of them."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.exchange import Api, ScriptedExchange, VendorReply, VendorRequest
from adapters.outcome import LookupFailed, Reason
from adapters.tmf.paging import next_link, read_all
from tests.unit.tmf.pretend import Pretend, call, reply

REQUEST = VendorRequest(Api.PRODUCT_INVENTORY, "product", (("relatedParty.id", "C1"),))


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": f"P{n}", "relatedParty": [{"id": "C1"}]} for n in range(count)]


async def read(vendor: Any, *, page_size: int = 10, page_limit: int = 5) -> list[Any]:
    exchange = vendor if isinstance(vendor, ScriptedExchange) else ScriptedExchange(vendor)
    return await read_all(exchange, REQUEST, call(), page_size=page_size, page_limit=page_limit)


def asked(exchange: ScriptedExchange) -> list[tuple[str, str]]:
    return [(dict(one.query)["offset"], dict(one.query)["limit"]) for one in exchange.requests]


@given(
    count=st.integers(0, 45),
    page_size=st.integers(10, 15),
    page_cap=st.integers(10, 20),
    counts=st.booleans(),
    links=st.booleans(),
    ends_with_416=st.booleans(),
)
def test_every_way_of_paging_gives_every_row_once(
    count: int, page_size: int, **manners: Any
) -> None:
    vendor = Pretend(rows={"product": rows(count)}, **manners)
    found = asyncio.run(read(vendor, page_size=page_size))
    assert found == rows(count)


async def test_a_short_page_is_the_end_where_nothing_else_is_said() -> None:
    exchange = ScriptedExchange(lambda _request: reply(rows(3)))
    assert await read(exchange) == rows(3)
    assert asked(exchange) == [("0", "10")]


async def test_a_page_cut_below_the_limit_is_no_end_when_the_count_says_so() -> None:
    exchange = ScriptedExchange(Pretend(rows={"product": rows(7)}, page_cap=3))
    assert await read(exchange) == rows(7)
    assert asked(exchange) == [("0", "10"), ("3", "10"), ("6", "10")]


async def test_more_rows_than_all_pages_hold_are_not_looked_at() -> None:
    assert len(await read(lambda _request: reply(rows(50)))) == 50
    with pytest.raises(LookupFailed, match="more rows") as failed:
        await read(lambda _request: reply(rows(51)))
    assert failed.value.reason is Reason.BAD_RESPONSE


BAD_PAGES = {
    "came twice": Pretend(rows={"product": rows(30)}, ignores_paging=True, page_cap=10),
    "more rows": lambda _request: reply(rows(51)),
    "more pages": Pretend(rows={"product": rows(100)}, counts=False, page_cap=1),
    "empty page": lambda _request: reply([], x_total_count="3"),
}


@pytest.mark.parametrize("why", BAD_PAGES)
async def test_what_hinders_reading_to_the_end_is_refused_inside_of_the_guard(why: str) -> None:
    """Where it counts against the vendor; the same page may be judged by several tries."""
    refused: list[str | None] = []

    async def guarded(request: VendorRequest) -> VendorReply:
        answer: VendorReply = BAD_PAGES[why](request)
        for _ in range(2):
            try:
                request.verify(answer)
            except LookupFailed as failure:
                refused.append(failure.detail)
        return answer

    with pytest.raises(LookupFailed):
        await read(ScriptedExchange(guarded))
    assert len(refused) == 2
    assert all(why in str(one) for one in refused)


async def test_206_says_that_there_is_more_even_without_a_count() -> None:
    exchange = ScriptedExchange(Pretend(rows={"product": rows(7)}, page_cap=4, counts=False))
    assert await read(exchange) == rows(7)


async def test_a_vendor_that_ignores_the_limit_and_sends_all_is_read_once() -> None:
    exchange = ScriptedExchange(lambda _request: reply(rows(25)))
    assert await read(exchange) == rows(25)
    assert len(exchange.requests) == 1


async def test_416_past_the_end_is_the_end() -> None:
    vendor = Pretend(rows={"product": rows(10)}, counts=False, ends_with_416=True)
    exchange = ScriptedExchange(vendor)
    assert await read(exchange) == rows(10)
    assert len(exchange.requests) == 2


async def test_416_to_the_first_page_is_an_empty_list() -> None:
    assert await read(lambda _request: reply(None, 416)) == []


async def test_a_next_link_is_followed_with_its_own_parameters() -> None:
    def vendor(request: VendorRequest) -> VendorReply:
        if ("cursor", "xyz") in request.query:
            return reply([{"id": "P2"}])
        return reply([{"id": "P1"}], 206, link='<?cursor=xyz>; rel="next", <?a=b>; rel="prev"')

    assert await read(vendor) == [{"id": "P1"}, {"id": "P2"}]


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.test/product?offset=3",
        "http://vendor.test/product?offset=3",
        "//elsewhere.test/product",
        "https://vendor.test:444/product",
        "https://vendor.test/customer?offset=3",
        "https://vendor.test/../product",
        "http://[",
    ],
)
async def test_a_next_link_to_elsewhere_is_not_followed_and_the_page_asked_for_by_offset(
    link: str,
) -> None:
    def vendor(request: VendorRequest) -> VendorReply:
        if ("offset", "0") in request.query:
            return reply(rows(5)[:3], link=f'<{link}>; rel="next"')
        return reply(rows(5)[3:])

    exchange = ScriptedExchange(vendor)
    assert await read(exchange) == rows(5)
    assert {one.path for one in exchange.requests} == {"product"}
    assert asked(exchange) == [("0", "10"), ("3", "10")]


async def test_a_page_that_repeats_does_not_loop_and_gives_no_part_of_a_list() -> None:
    exchange = ScriptedExchange(
        Pretend(rows={"product": rows(30)}, ignores_paging=True, page_cap=10)
    )
    with pytest.raises(LookupFailed) as failure:
        await read(exchange)
    assert failure.value.reason is Reason.BAD_RESPONSE
    assert len(exchange.requests) == 2


async def test_a_link_that_points_to_itself_does_not_loop() -> None:
    exchange = ScriptedExchange(lambda _request: reply(rows(2), link='<?offset=0>; rel="next"'))
    with pytest.raises(LookupFailed):
        await read(exchange)
    assert len(exchange.requests) == 2


async def test_an_empty_part_with_a_link_to_more_is_no_empty_list() -> None:
    with pytest.raises(LookupFailed) as failure:
        await read(lambda _request: reply([], 206, link='<product>; rel="next"'))
    assert failure.value.reason is Reason.BAD_RESPONSE


async def test_a_link_on_the_empty_page_after_the_last_is_not_followed() -> None:
    pages = iter([rows(2), []])
    found = await read(lambda _request: reply(next(pages), link='<?offset=2>; rel="next"'))
    assert found == rows(2)


async def test_a_row_that_moved_to_the_next_page_meanwhile_is_counted_once() -> None:
    pages = iter([rows(10), rows(14)[9:14]])
    found = await read(lambda _request: reply(next(pages), x_total_count="14"))
    assert {row["id"] for row in found} == {row["id"] for row in rows(14)}


async def test_pages_that_overlap_and_so_leave_out_a_row_give_no_part_of_a_list() -> None:
    """A vendor that sorts anew for each page: four rows are promised, and one comes twice."""
    pages = {"0": rows(2), "2": rows(3)[1:]}

    def vendor(request: VendorRequest) -> VendorReply:
        return reply(pages.get(dict(request.query)["offset"], []), x_total_count="4")

    with pytest.raises(LookupFailed) as failure:
        await read(vendor, page_size=2)
    assert failure.value.reason is Reason.BAD_RESPONSE


async def test_a_row_that_comes_twice_on_one_page_is_counted_as_the_vendor_counts() -> None:
    twice = [*rows(2), rows(1)[0]]
    assert await read(lambda _request: reply(twice, x_total_count="3")) == twice


async def test_a_list_longer_than_the_page_limit_gives_no_part_of_it() -> None:
    exchange = ScriptedExchange(Pretend(rows={"product": rows(51)}))
    with pytest.raises(LookupFailed) as failure:
        await read(exchange, page_limit=5)
    assert failure.value.reason is Reason.BAD_RESPONSE
    assert len(exchange.requests) == 5


async def test_fewer_rows_than_promised_give_no_part_of_a_list() -> None:
    def vendor(request: VendorRequest) -> VendorReply:
        return reply(rows(3) if ("offset", "0") in request.query else [], x_total_count="4")

    with pytest.raises(LookupFailed) as failure:
        await read(vendor)
    assert failure.value.reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize("count", ["many", "-1", "", "1e9", "９"])
async def test_a_count_that_is_no_number_is_as_none(count: str) -> None:
    assert await read(lambda _request: reply(rows(3), x_total_count=count)) == rows(3)


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<a>; rel="next"', "a"),
        ("<a>; rel=next", "a"),
        ("<a>;rel='next'", "a"),
        ('<a>; title="x"; REL="prev NEXT"', "a"),
        ('<a>; rel="first", <b>; rel="next"', "b"),
        ('<a>; rel="nextish"', None),
        ("a; rel=next", None),
        ("", None),
    ],
)
def test_a_next_link_is_found_as_rfc_8288_writes_it(header: str, target: str | None) -> None:
    assert next_link(reply([], link=header)) == target


def test_pages_that_never_end_cost_no_more_than_the_page_limit() -> None:
    fresh: Sequence[int] = range(10_000)
    numbers = iter(fresh)
    exchange = ScriptedExchange(lambda _request: reply([{"id": next(numbers)}], 206))
    with pytest.raises(LookupFailed):
        asyncio.run(read(exchange, page_limit=7))
    assert len(exchange.requests) == 7
