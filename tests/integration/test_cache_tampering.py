"""Whoever can write into Redis can make the sidecars forget, and can make them say nothing."""

import random
from collections.abc import Callable, Mapping

import pytest

from proxy.cache.names import Question
from tests.servers.fleet import (
    CONNECTION,
    NEIGHBOUR,
    STRANGER,
    TENANT,
    Fleet,
    Member,
    somebody,
    who,
)

MISS = "bss-sidecar; fwd=uri-miss"
DID_NOT_OPEN = f'{MISS}; detail="unopenable"'
HEADER_BYTES = 33

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def unopenable(member: Member, why: str) -> float:
    return (await member.metrics()).total("bss_sidecar_cache_unopenable_entries_total", why)


async def sealed(two: Fleet, customer: int) -> bytes:
    await two.members[0].account(customer)
    return await two.until_kept(two.name(customer))


def plant(two: Fleet, name: bytes, value: bytes) -> None:
    two.redis.tell("SET", name, value, "EX", 60)


async def is_refused(two: Fleet, customer: int, why: str, *, tenant: str = TENANT) -> None:
    """What is kept of a customer does not open, at either sidecar: the vendor is asked."""
    member = two.members[1]
    before, asked = await unopenable(member, why), two.exchanges()
    reply = await member.account(customer, tenant)
    assert reply.status == 200
    assert reply.headers["cache-status"] == DID_NOT_OPEN
    assert two.exchanges() == asked + 1
    assert await unopenable(member, why) == before + 1


async def test_an_entry_copied_under_another_customers_name_does_not_open(two: Fleet) -> None:
    mine, other = somebody(), somebody()
    entry = await sealed(two, mine)
    plant(two, two.name(other), entry)
    await is_refused(two, other, "forged")


@pytest.mark.parametrize("tenant", [NEIGHBOUR, STRANGER])
async def test_an_entry_copied_to_another_tenant_does_not_open(two: Fleet, tenant: str) -> None:
    """Of the same customer, on the same connection and on another."""
    customer = somebody()
    entry = await sealed(two, customer)
    connection = CONNECTION if tenant == NEIGHBOUR else tenant
    plant(two, two.name(customer, tenant=tenant, connection=connection), entry)
    await is_refused(two, customer, "forged", tenant=tenant)


async def test_an_entry_copied_to_the_other_question_does_not_open(two: Fleet) -> None:
    customer = somebody()
    questions: tuple[Question, Question] = ("billing", "disputes")
    entry = await sealed(two, customer)
    plant(two, two.name(customer, questions[1]), entry)
    before = await unopenable(two.members[1], "forged")
    reply = await two.members[1].disputes(customer)
    assert reply.headers["cache-status"].startswith(MISS)
    assert "unopenable=1" in reply.headers["cache-status"]
    assert await unopenable(two.members[1], "forged") == before + 1


async def test_an_entry_with_one_bit_flipped_does_not_open_wherever_it_is(two: Fleet) -> None:
    """A bit of each byte of the header, and of some of the rest; all of them in one batch."""
    customers = [somebody() for _ in range(HEADER_BYTES + 15)]
    member = two.members[1]
    await two.members[0].revenue(*customers)
    for number, customer in enumerate(customers):
        entry = bytearray(await two.until_kept(two.name(customer)))
        place = number if number < HEADER_BYTES else random.randrange(HEADER_BYTES, len(entry))
        entry[place] ^= 1 << random.randrange(8)
        plant(two, two.name(customer), bytes(entry))
    before = (await member.metrics()).total("bss_sidecar_cache_unopenable_entries_total")
    reply = await member.revenue(*customers)
    count = len(customers)
    assert f"hits=0,misses={count},unopenable={count}" in reply.headers["cache-status"]
    after = (await member.metrics()).total("bss_sidecar_cache_unopenable_entries_total")
    assert after == before + count


LIES: Mapping[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "half of it": lambda entry: entry[: len(entry) // 2],
    "foreign bytes": lambda entry: random.randbytes(len(entry)),
    "foreign bytes after its version": lambda entry: entry[:1] + random.randbytes(len(entry) - 1),
    "more than any entry has": lambda entry: entry + bytes(200_000),
    "another version": lambda entry: b"\x02" + entry[1:],
    "a pickle": lambda _: b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.",
}


@pytest.mark.parametrize("lie", LIES)
async def test_foreign_bytes_are_a_miss_and_are_replaced(two: Fleet, lie: str) -> None:
    customer = somebody()
    one, other = two.members
    truth = await one.account(customer)
    planted = LIES[lie](await two.until_kept(two.name(customer)))
    plant(two, two.name(customer), planted)
    reply = await other.account(customer)
    assert reply.body == truth.body
    assert reply.headers["cache-status"] == DID_NOT_OPEN
    await two.until(lambda: two.value(two.name(customer)) not in {None, planted})
    again = await one.account(customer)
    assert again.headers["cache-status"].startswith("bss-sidecar; hit")
    assert again.body == truth.body


@pytest.mark.parametrize("command", ["LPUSH", "SADD", "HSET", "PFADD"])
async def test_another_type_is_a_miss_beside_which_others_are_hits(
    two: Fleet, command: str
) -> None:
    customer, beside = somebody(), somebody()
    one, other = two.members
    truth = await one.revenue(customer, beside)
    for number in (customer, beside):
        await two.until_kept(two.name(number))
    two.redis.tell("DEL", two.name(customer))
    more = ["field", "value"] if command == "HSET" else ["value"]
    two.redis.tell(command, two.name(customer), *more)
    reply = await other.revenue(customer, beside)
    assert reply.body == truth.body
    missed = "hits=1,misses=1" + (",unopenable=1" if command == "PFADD" else "")
    assert missed in reply.headers["cache-status"]  # PFADD makes a string


async def test_a_tombstone_of_ours_cannot_be_read_as_an_entry(two: Fleet) -> None:
    customer = somebody()
    await sealed(two, customer)
    assert (await two.members[0].forget(customer)).status == 204
    (stone,) = two.rings.named().tombstones(TENANT, CONNECTION, who(customer))
    mark = two.value(stone)
    assert mark is not None
    plant(two, two.name(customer), mark)
    await is_refused(two, customer, "malformed")
