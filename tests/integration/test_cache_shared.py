"""Two sidecars, each a process of its own, share what they learn through one Redis over TLS."""

import asyncio

import aiohttp
import pytest

from tests.chaos.judge import Kind, Leeway, Question, Said
from tests.integration.loading import FULL, JUDGE
from tests.servers.fleet import (
    CONNECTION,
    NEIGHBOUR,
    SHIFT,
    STRANGER,
    TENANT,
    Fleet,
    somebody,
    who,
)
from tests.servers.sidecar import Pod, Reply

CALLERS = 1_000 if FULL else 500
"""At each sidecar."""
HIT = "bss-sidecar; hit; ttl="
MISS = "bss-sidecar; fwd=uri-miss"

pytestmark = pytest.mark.asyncio(loop_scope="session")


def assert_true(reply: Reply, kind: Kind, *numbers: int, tenant: str = TENANT) -> None:
    question = Question(kind, tenant, CONNECTION, numbers)
    said = Said(reply.status, reply.headers, reply.body)
    verdict = JUDGE.verdict(question, said, Leeway())
    assert verdict.is_full, verdict


async def test_what_one_learned_is_a_hit_at_the_other_and_the_vendor_is_asked_once(
    two: Fleet,
) -> None:
    one, other = two.members
    customer = somebody()
    before = two.exchanges()
    first = await one.account(customer)
    assert first.headers["cache-status"] == MISS
    assert two.exchanges() == before + 1
    await two.until_kept(two.name(customer))
    for member in (other, one, other):
        again = await member.account(customer)
        assert again.headers["cache-status"].startswith(HIT)
        assert again.body == first.body
    assert_true(again, "account", customer)
    assert two.exchanges() == before + 1


async def test_a_batch_asks_only_about_those_whom_nobody_asked_about(two: Fleet) -> None:
    one, other = two.members
    known, more = [somebody() for _ in range(20)], [somebody() for _ in range(5)]
    await one.revenue(*known)
    for customer in known:
        await two.until_kept(two.name(customer))
    before = two.exchanges()
    reply = await other.revenue(*known, *more)
    assert reply.headers["cache-status"] == ('bss-sidecar; fwd=partial; detail="hits=20,misses=5"')
    assert_true(reply, "revenue", *known, *more)
    assert two.exchanges() == before + 5
    again = await other.revenue(*known, *more)
    assert again.headers["cache-status"].startswith(HIT)
    assert again.headers["cache-status"].endswith('detail="hits=25,misses=0"')
    assert again.body == reply.body
    assert two.exchanges() == before + 5


async def test_disputes_are_kept_apart_from_accounts(two: Fleet) -> None:
    one, other = two.members
    numbers = tuple(range(900, 909))
    await one.revenue(*numbers)
    for number in numbers:
        await two.until_kept(two.name(number))
    first = await one.disputes(*numbers)
    assert first.headers["cache-status"] == f'{MISS}; detail="hits=0,misses=9"'
    for number in numbers:
        await two.until_kept(two.name(number, "disputes"))
    before = two.exchanges()
    again = await other.disputes(*numbers)
    assert again.headers["cache-status"].startswith(HIT)
    assert again.body == first.body
    assert_true(again, "disputes", *numbers)
    assert two.exchanges() == before


async def test_that_there_is_no_such_customer_is_shared_until_its_own_end(two: Fleet) -> None:
    one, other = two.members
    missing = 99 + 10 * 7
    assert (await one.account(missing)).headers["cache-status"] == MISS
    await two.until_kept(two.name(missing))
    before = two.exchanges()
    reply = await other.account(missing)
    assert (reply.status, reply.headers["cache-status"]) == (404, f"{HIT}0")
    assert two.exchanges() == before
    await two.until_gone(two.name(missing))
    assert (await other.account(missing)).headers["cache-status"] == MISS
    assert two.exchanges() > before


async def test_the_same_customer_of_two_tenants_never_shares_an_entry(two: Fleet) -> None:
    """On one connection and on two; the same id may well be another customer's elsewhere."""
    one, other = two.members
    customer = somebody()
    first = await one.account(customer)
    await two.until_kept(two.name(customer))
    for tenant, connection in ((NEIGHBOUR, CONNECTION), (STRANGER, STRANGER)):
        before = two.exchanges()
        reply = await other.account(customer, tenant)
        assert reply.headers["cache-status"] == MISS
        assert two.exchanges() == before + 1
        await two.until_kept(two.name(customer, tenant=tenant, connection=connection))
        again = await one.account(customer, tenant)
        assert again.headers["cache-status"].startswith(HIT)
        assert again.body == reply.body
    assert again.json()["monthly_fee"] != first.json()["monthly_fee"]
    assert again.json()["account_id"] != first.json()["account_id"]
    truth = JUDGE.fee(TENANT, customer + SHIFT)
    assert truth is not None
    assert round(again.json()["monthly_fee"] * 100) == truth
    assert (await other.account(customer)).body == first.body


async def test_a_thousand_callers_of_one_cold_customer_cost_one_exchange_at_each_sidecar(
    two: Fleet,
) -> None:
    """None of them is answered before either sidecar could learn from the other."""
    customer = somebody()
    two.vendor.latency_s = 1.0
    before = two.exchanges()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        pods = [Pod(session, member.running.data.url) for member in two.members]
        asked = (pod.account(TENANT, who(customer)) for pod in pods for _ in range(CALLERS))
        try:
            replies = await asyncio.gather(*asked)
        finally:
            two.vendor.latency_s = 0.0
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert_true(replies[0], "account", customer)
    assert two.exchanges() - before <= len(two.members)
