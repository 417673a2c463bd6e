"""A forgotten customer stays forgotten, across two sidecars, whatever is in flight."""

import asyncio
import random
from collections.abc import Awaitable
from datetime import datetime

import pytest

from adapters.lookup import wall_clock
from adapters.simulator import faults
from proxy.cache.envelope import QUESTIONS
from tests.integration.loading import FULL, tell, under_load
from tests.servers.fleet import CONNECTION, NEIGHBOUR, TENANT, Fleet, Member, Rings, somebody, who
from tests.servers.sidecar import Reply

HIT = "bss-sidecar; hit"
MISS = "bss-sidecar; fwd=uri-miss"
CUSTOMERS = 200 if FULL else 30

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def forgotten(member: Member, customer: int, tenant: str = TENANT) -> None:
    reply = await member.forget(customer, tenant)
    assert (reply.status, reply.body) == (204, b"")


async def test_what_was_kept_is_gone_at_both_sidecars_for_both_questions(two: Fleet) -> None:
    customer, beside = somebody(), somebody()
    one, other = two.members
    await one.revenue(customer, beside)
    await one.disputes(customer, beside)
    for number in (customer, beside):
        for question in QUESTIONS:
            await two.until_kept(two.name(number, question))
    await one.account(customer, NEIGHBOUR)
    neighbours = two.name(customer, tenant=NEIGHBOUR)
    await two.until_kept(neighbours)
    await forgotten(other, customer)
    assert two.kept(customer) == 0
    assert two.kept(beside) == 2
    assert two.value(neighbours) is not None
    for member in (one, other):
        assert (await member.account(beside)).headers["cache-status"].startswith(HIT)
    await stays_forgotten(two, customer)


async def stays_forgotten(two: Fleet, customer: int, *rings: Rings) -> None:
    """Whoever asks is answered by the vendor, and of that nothing stays."""
    for member in two.members:
        await two.until_at_rest()
        await two.until(lambda: two.kept(customer, *rings) == 0)
        assert (await member.account(customer)).headers["cache-status"] == MISS


async def in_flight(two: Fleet, *asking: Awaitable[Reply]) -> "asyncio.Future[list[Reply]]":
    """Ends when the vendor has all of these questions, and has answered none of them."""
    goal = two.vendor.traffic.in_flight + len(asking)
    flying = asyncio.gather(*asking)
    async with asyncio.timeout(30):
        await two.vendor.traffic.until(lambda traffic: traffic.in_flight >= goal)
    return flying


@pytest.mark.parametrize("forgetter", [0, 1])
async def test_what_was_asked_before_is_never_kept(two: Fleet, forgetter: int) -> None:
    """Both sidecars have a question at the vendor; it is answered after one of them forgot."""
    customer = somebody()
    await two.vendor.faults.set(faults.Latency(delay_s=0.4))
    try:
        flying = await in_flight(two, *(member.account(customer) for member in two.members))
        await forgotten(two.members[forgetter], customer)
        assert not flying.done()
        replies = await flying
    finally:
        await two.vendor.faults.clear()
    assert [reply.status for reply in replies] == [200, 200]
    await stays_forgotten(two, customer)


async def test_who_is_forgotten_during_a_rotation_of_the_names_is_under_no_name(two: Fleet) -> None:
    """Entries under both keys, and a question in flight at the sidecar that is a step behind."""
    one, other = two.members
    new = Rings.new().names
    ahead = Rings(two.rings.master, (*new, *two.rings.names))
    behind = Rings(two.rings.master, (*two.rings.names, *new))
    for member in two.members:
        await member.turn(behind)
    two.rings = behind
    customer = somebody()
    await one.account(customer)
    await two.until_kept(two.name(customer, rings=behind))
    await one.turn(ahead)
    await one.disputes(customer)
    await two.until_kept(two.name(customer, "disputes", rings=ahead))
    await forgotten(other, customer)
    assert two.kept(customer, ahead) == 0
    flying_about = somebody()
    await two.vendor.faults.set(faults.Latency(delay_s=0.4))
    try:
        flying = await in_flight(two, *(member.account(flying_about) for member in two.members))
        await forgotten(other, flying_about)
        await flying
    finally:
        await two.vendor.faults.clear()
    for number in (customer, flying_about):
        await stays_forgotten(two, number, ahead)


async def test_customers_who_are_forgotten_under_load_are_not_kept_again(two: Fleet) -> None:
    """Both sidecars ask, write and refresh all the time, and each forgets what the other keeps."""
    customers = [somebody() for _ in range(CUSTOMERS)]
    over = asyncio.Event()
    luck = random.Random(7)

    async def ask_on(member: Member) -> None:
        while not over.is_set():
            await member.account(luck.choice(customers))
            await member.revenue(*luck.sample(customers, 5))

    async with under_load(two) as load, asyncio.TaskGroup() as group:
        for member in two.members:
            for _ in range(3):
                group.create_task(ask_on(member))
        await load.a_round()
        await asyncio.gather(
            *(forgotten(luck.choice(two.members), customer) for customer in customers)
        )
        after = [two.kept(customer) for customer in customers]
        await load.a_round()
        over.set()
    await two.until_at_rest()
    left = [two.kept(customer) for customer in customers]
    tell(f"of {len(customers)} customers forgotten under load, entries at once: {sum(after)}, "
         f"at rest: {sum(left)}")  # fmt: skip
    assert sum(left) == 0
    marks = [
        two.rings.named().tombstones(TENANT, CONNECTION, who(customer))[0] for customer in customers
    ]
    assert int(two.redis.tell("EXISTS", *marks)) == len(customers)


async def test_the_mark_of_a_forgotten_customer_ends_with_the_longest_life(two: Fleet) -> None:
    customer = somebody()
    await forgotten(two.members[0], customer)
    for mark in two.rings.named().tombstones(TENANT, CONNECTION, who(customer)):
        assert 270_000 < int(two.redis.tell("PTTL", mark)) <= 300_000


async def test_a_redis_that_cannot_forget_is_told_with_the_time_after_which_nothing_is_left(
    two: Fleet,
) -> None:
    customer = somebody()
    one, other = two.members
    await one.account(customer)
    await two.until_kept(two.name(customer))
    two.redis.become_replica()
    try:
        reply = await other.forget(customer)
    finally:
        two.redis.become_master()
    assert reply.status == 503
    assert int(reply.headers["retry-after"]) <= 60
    left_s = datetime.fromisoformat(reply.json()["nothing_left_after"]) - wall_clock()
    assert 270 < left_s.total_seconds() <= 300
    assert str(who(customer)) not in reply.body.decode()
    await forgotten(other, customer)
    assert two.kept(customer) == 0
