"""What is Amdocs' own: the individual's id, flat paths, its own codes and its own errors."""

from decimal import Decimal

import pytest

from adapters.amdocs_adapter import PROFILE, AmdocsBSSAdapter
from adapters.exchange import Api
from adapters.outcome import Billing, Dispute, Found, Missing, Reason, Unavailable
from tests.unit.tmf.pretend import Asked, Pretend, fee, product, reply, ticket


async def test_products_are_asked_for_by_the_individual_with_paging_alone() -> None:
    asked = Asked(Pretend(rows={"product": [product("I1", "29.99")]}), make=AmdocsBSSAdapter)
    [found] = await asked.billing("I1")
    assert fee(found) == Decimal("29.99")
    assert asked.exchange.requests[0].query == (
        ("relatedParty.id", "I1"),
        ("offset", "0"),
        ("limit", "100"),
    )


async def test_whether_a_customer_exists_is_asked_by_its_party() -> None:
    rows = {"customer": [{"id": "77", "engagedParty": {"id": "I1"}}]}
    asked = Asked(Pretend(rows=rows), make=AmdocsBSSAdapter)
    assert await asked.billing("I1", "I2") == [Found(Billing()), Missing()]
    assert {one.query[0][0] for one in asked.asked("customer")} == {"engagedParty.id"}


async def test_by_id_a_404_with_a_message_means_missing_and_one_without_a_wrong_path() -> None:
    answers = {
        "customer/I1": reply({"code": "BSS-404", "message": "unknown"}, 404),
        "customer/I2": reply({"error": "no route"}, 404),
    }
    asked = Asked(
        Pretend(overrides=lambda request: answers.get(request.path)),
        make=AmdocsBSSAdapter,
        existence="customer_by_id",
    )
    assert await asked.billing("I1", "I2") == [Missing(), Unavailable(Reason.BAD_RESPONSE)]


async def test_a_message_in_a_200_is_an_error_of_the_vendor() -> None:
    asked = Asked(lambda _request: reply({"message": "come back later"}), make=AmdocsBSSAdapter)
    assert await asked.billing("I1") == [Unavailable(Reason.VENDOR_ERROR)]


@pytest.mark.parametrize(("status", "expected"), [("SN", Decimal("20.00")), ("SF", None)])
async def test_classic_state_codes_count_once_they_are_listed(
    status: str, expected: Decimal | None
) -> None:
    vendor = Pretend(rows={"product": [product("I1", status=status)]})
    codes = ("SN", "SR")
    [found] = await Asked(vendor, make=AmdocsBSSAdapter, charged_statuses=codes).billing("I1")
    assert fee(found) == expected
    [unlisted] = await Asked(vendor, make=AmdocsBSSAdapter).billing("I1")
    assert fee(unlisted) is None


async def test_disputes_are_tickets_of_the_individual() -> None:
    asked = Asked(Pretend(rows={"troubleTicket": [ticket("I1")]}), make=AmdocsBSSAdapter)
    assert [one.value for one in await asked.disputes("I1", "I2")] == [
        Dispute(active=True),
        Dispute(active=False),
    ]


def test_every_api_is_right_at_the_base_url() -> None:
    assert {PROFILE.path_of(api) for api in Api} == {""}


def test_its_answers_are_live_and_carry_its_name() -> None:
    adapter = Asked(Pretend(), make=AmdocsBSSAdapter).adapter()
    assert (adapter.source, adapter.is_estimate) == ("amdocs", False)
