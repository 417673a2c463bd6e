import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from adapters.simulator.answering import Answerer, Question
from adapters.simulator.population import SHAPES, Shape
from adapters.simulator.reply import Reply
from adapters.simulator.shapes import MANNERS, Holder, Manners, Version, paths
from adapters.simulator.vendor_data import VendorData

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ORIGIN = "https://127.0.0.1:9441"
AMDOCS_PRODUCTS = "/product"


@cache
def data_of(shape: Shape, version: Version = "v4") -> VendorData:
    return VendorData.build(shape, version, tenant=f"{shape}_demo", now=NOW)


def ask(path: str, *query: tuple[str, str], shape: Shape = "amdocs", **manners: Any) -> Reply:
    chosen: Manners = replace(MANNERS[shape], **manners)
    return Answerer(data_of(shape), chosen).answer(Question(path, query, origin=ORIGIN))


def rows(reply: Reply) -> list[dict[str, Any]]:
    body = json.loads(reply.body)
    assert isinstance(body, list)
    return body


def ids(reply: Reply) -> list[str]:
    return [row["id"] for row in rows(reply)]


def owner(n: int, shape: Shape = "amdocs") -> str:
    return Holder(shape, n).owner


def test_a_known_filter_finds_the_customers_rows() -> None:
    reply = ask(AMDOCS_PRODUCTS, ("relatedParty.id", owner(6)))
    assert ids(reply) == ["PRD-000006-0", "PRD-000006-1"]
    assert (reply.status, reply.headers["X-Total-Count"]) == (200, "2")


def test_an_unknown_filter_is_ignored_and_everybody_comes_back() -> None:
    reply = ask(AMDOCS_PRODUCTS, ("relatedparty.identifier", owner(6)))
    assert int(reply.headers["X-Total-Count"]) == len(data_of("amdocs").rows("product"))


def test_a_filter_for_nobody_gives_an_empty_list() -> None:
    reply = ask(AMDOCS_PRODUCTS, ("relatedParty.id", owner(9)))
    assert (reply.status, rows(reply)) == (200, [])


def test_filters_narrow_each_other() -> None:
    account = Holder("amdocs", 6).accounts[1]
    asked = (("relatedParty.id", owner(6)), ("billingAccount.id", account))
    assert ids(ask(AMDOCS_PRODUCTS, *asked)) == ["PRD-000006-1"]


@pytest.mark.parametrize(
    ("style", "query"),
    [
        ("repeat", [("relatedParty.id", owner(0)), ("relatedParty.id", owner(1))]),
        ("comma", [("relatedParty.id", f"{owner(0)},{owner(1)}")]),
        ("semicolon", [("relatedParty.id", f"{owner(0)};{owner(1)}")]),
    ],
)
def test_several_values_are_taken_in_the_vendors_own_style_only(
    style: str, query: Sequence[tuple[str, str]]
) -> None:
    both = {"PRD-000000-0", "PRD-000001-0"}
    assert both <= set(ids(ask(AMDOCS_PRODUCTS, *query, or_style=style)))
    assert not both <= set(ids(ask(AMDOCS_PRODUCTS, *query, or_style="single")))


@pytest.mark.parametrize("next_link", ["absolute", "relative"])
def test_following_the_next_links_reads_every_row_once(next_link: str) -> None:
    manners: dict[str, Any] = {"next_link": next_link, "partial_status": 206}
    read, reply = list[str](), ask(AMDOCS_PRODUCTS, ("limit", "500"), **manners)
    while "Link" in reply.headers:
        assert reply.status == 206
        read += ids(reply)
        target = reply.headers["Link"].removeprefix("<").partition(">")[0]
        assert target.startswith(ORIGIN) == (next_link == "absolute")
        reply = ask(AMDOCS_PRODUCTS, *parse_qsl(urlsplit(target).query), **manners)
    assert read + ids(reply) == [row["id"] for row in data_of("amdocs").rows("product")]


def test_a_vendor_without_links_tells_only_how_many_there_are() -> None:
    reply = ask(AMDOCS_PRODUCTS, ("limit", "10"))
    assert (reply.status, len(rows(reply))) == (200, 10)
    assert "Link" not in reply.headers
    assert reply.headers["X-Total-Count"] == str(len(data_of("amdocs").rows("product")))


def test_a_limit_above_the_vendors_own_is_cut_without_a_word() -> None:
    reply = ask(AMDOCS_PRODUCTS, ("limit", "5000"), page_size_limit=10)
    assert len(rows(reply)) == 10
    assert reply.headers["X-Result-Count"] == "10"


def test_past_the_end_is_416_or_empty_as_the_vendor_likes() -> None:
    asked = (("relatedParty.id", owner(6)), ("offset", "2"))
    assert ask(AMDOCS_PRODUCTS, *asked, past_the_end="416").status == 416
    assert rows(ask(AMDOCS_PRODUCTS, *asked, past_the_end="empty")) == []


@pytest.mark.parametrize("value", ["-1", "ten", ""])
def test_an_unreadable_offset_is_a_bad_request(value: str) -> None:
    assert ask(AMDOCS_PRODUCTS, ("offset", value)).status == 400


def test_fields_cut_rows_down_where_the_vendor_supports_them() -> None:
    asked = (("relatedParty.id", owner(0)), ("fields", "name,status"))
    assert set(rows(ask(AMDOCS_PRODUCTS, *asked))[-1]) == {"id", "name", "status"}
    assert "productPrice" in rows(ask(AMDOCS_PRODUCTS, *asked, supports_fields=False))[-1]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_customer_is_found_by_id_and_nobody_is_a_404_in_the_vendors_words(
    shape: Shape,
) -> None:
    path = next(p for p, resource in paths(shape, "v4").items() if resource == "customer")
    known = ask(f"{path}/{Holder(shape, 8).customer}", shape=shape)
    assert json.loads(known.body)["id"] == Holder(shape, 8).customer
    missing = ask(f"{path}/{Holder(shape, 9).customer}", shape=shape)
    assert missing.status == 404
    assert {"code", "message"} <= set(json.loads(missing.body))


@pytest.mark.parametrize("path", ["/tmf-api/product", "/products", "/", "/product/", "//product"])
def test_a_wrong_path_is_answered_by_the_web_server_in_front(path: str) -> None:
    reply = ask(path)
    assert (reply.status, reply.content_type) == (404, "text/html")


@pytest.mark.parametrize("left_out", ["relatedParty.id", "billingAccount.id", "status"])
def test_csg_wants_all_three_filters_together(left_out: str) -> None:
    asked = {
        "relatedParty.id": owner(6, "csg"),
        "billingAccount.id": Holder("csg", 6).accounts[0],
        "status": "active,pendingTerminate,suspended",
    }
    path = "/tmf-api/productInventory/v4/product"
    assert ids(ask(path, *asked.items(), shape="csg")) == ["PRD-000006-0"]
    del asked[left_out]
    reply = ask(path, *asked.items(), shape="csg")
    assert reply.status == 400
    assert left_out in json.loads(reply.body)["reason"]


def test_cerillion_finds_products_and_tickets_by_account() -> None:
    account = owner(5, "cerillion")
    root = "/apiman-gateway/ORG"
    by_account = ("billingAccount.id", account)
    products = ask(
        f"{root}/product/1.0/product", by_account, ("subStatus", "CU,FA"), shape="cerillion"
    )
    assert ids(products) == ["PRD-000005-0"]
    asked = ("relatedEntity.billingAccount.id", account)
    tickets = ask(f"{root}/troubleTicket/1.0/troubleTicket", asked, shape="cerillion")
    assert ids(tickets) == ["TT-000005"]


def test_v5_names_its_party_filter_anew_and_marks_its_errors() -> None:
    answerer = Answerer(data_of("csg", "v5"), MANNERS["csg"])
    path = "/tmf-api/accountManagement/v5/billingAccount"
    new = (("relatedParty.partyOrPartyRole.id", owner(6, "csg")),)
    old = (("relatedParty.id", owner(6, "csg")),)
    assert answerer.answer(Question(path, new)).headers["X-Total-Count"] == "2"
    assert answerer.answer(Question(path, old)).headers["X-Total-Count"] == "1100"
    assert json.loads(answerer.answer(Question(f"{path}/1")).body)["@type"] == "Error"
