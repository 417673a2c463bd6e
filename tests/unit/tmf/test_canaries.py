"""Personal data that goes through the TM Forum part shows in no exception, repr or log."""

import logging
import re
from typing import Any

import pytest

from adapters.exchange import VendorReply, VendorRequest
from adapters.outcome import LookupFailed
from adapters.ports import Ports
from adapters.tmf.adapter import TmfAdapter
from adapters.tmf.inquiry import Inquiry
from adapters.tmf.ownership import Owned, Subject
from adapters.tmf.paging import Reading
from adapters.tmf.profile import Profile
from tests.unit.tmf.pretend import (
    Asked,
    Mapped,
    Pretend,
    account,
    call,
    pedkai_id,
    product,
    reply,
    ticket,
)

CANARY = "CANARY4711"
ROWS = {
    "product": [product(CANARY, "4711.47", product_id=CANARY, name=CANARY)],
    "billingAccount": [account(CANARY, CANARY)],
    "troubleTicket": [ticket(CANARY)],
}
ANSWERS: list[Any] = [
    [],
    {"Fault": CANARY},
    {"code": CANARY, "reason": CANARY},
    {CANARY: CANARY},
    [product(None, "4711.47", product_id=CANARY)],
    [CANARY],
    CANARY,
]


def leaks(text: str) -> bool:
    """The address of an object may hold any number by chance."""
    return "4711" in re.sub(r" at 0x[0-9a-f]+", "", text)


@pytest.mark.parametrize("body", ANSWERS, ids=range(len(ANSWERS)))
@pytest.mark.parametrize("status", [200, 206, 404])
async def test_no_refused_answer_leaks_into_an_exception_or_a_log(
    body: Any, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    failures: list[LookupFailed] = []

    async def vendor(request: VendorRequest) -> VendorReply:
        answer = reply(body, status)
        try:
            request.verify(answer)
        except LookupFailed as failure:
            failures.append(failure)
        return answer

    asked = Asked(vendor)
    found = [*await asked.billing(CANARY), *await asked.disputes(CANARY)]
    assert asked.exchange.requests
    told = [repr(one) for one in (*found, *failures, *asked.exchange.requests)]
    told += [f"{one} {one.detail} {one.args}" for one in failures]
    assert not leaks(" ".join((*told, caplog.text)))


async def test_no_object_on_the_way_shows_what_it_holds() -> None:
    exchange = Asked(Pretend(rows=ROWS)).exchange
    subject = Subject(CANARY, CANARY, (CANARY,))
    reading = Reading(10, 1)
    page = reading.judged(reply(ROWS["product"]))
    reading.take(reply(ROWS["product"]))
    objects = [
        subject,
        page,
        Owned(subject, tuple(ROWS["product"])),
        reading,
        Inquiry(exchange, Profile(), call()),
        reply(ROWS["product"]),
    ]
    assert not leaks(repr(objects))


async def test_a_direct_question_that_fails_says_nothing_of_the_customer() -> None:
    identity = Mapped({pedkai_id(CANARY): CANARY})
    exchange = Asked(lambda _request: reply({"Fault": CANARY})).exchange
    ports = Ports(tenant="t", connection="c", identity=identity, exchange=exchange)
    adapter = TmfAdapter(ports, Profile())
    with pytest.raises(LookupFailed) as failure:
        await adapter.get_billing_account(pedkai_id(CANARY))
    assert not leaks(repr(failure.value))
