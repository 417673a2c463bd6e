"""The end of an entry's life, as two sidecars on one real Redis come to it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.loading import FULL, tell
from tests.servers.fleet import Fleet, Member, fleet, somebody
from tests.servers.patience import TooLate, patiently
from tests.servers.sidecar import Reply

TTL_S = 1.0
HIT = "bss-sidecar; hit; ttl="
MISS = "bss-sidecar; fwd=uri-miss"
CALLERS = 8
"""At each sidecar, each with one question after the other."""
LIVES = 20 if FULL else 2
SLOW_S = 0.15

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _short(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    cache = {"read_budget": "5s", "ttl": f"{TTL_S}s", "negative_ttl": f"{TTL_S}s"}
    async with fleet(tmp_path_factory.mktemp("short"), cache=cache) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def short(_short: Fleet) -> Fleet:
    await _short.start_anew()
    return _short


@patiently
async def test_an_answer_is_a_hit_until_its_time_is_over_and_then_the_vendor_is_asked(
    short: Fleet,
) -> None:
    one, other = short.members
    customer = somebody()
    clock = asyncio.get_running_loop().time
    began = clock()
    await one.account(customer)
    answered = clock()
    await short.until_kept(short.name(customer))
    asked = short.exchanges()
    reply = await other.account(customer)
    if not reply.headers["cache-status"].startswith(HIT):
        raise TooLate(reply.headers["cache-status"])
    assert short.exchanges() == asked
    await short.until_gone(short.name(customer))
    gone = clock()
    assert gone - began >= 0.9 * TTL_S  # by up to a tenth it is shorter, by chance
    if gone - answered > TTL_S + 0.3:
        raise TooLate(f"gone after {gone - answered:.2f} s")
    assert (await other.account(customer)).headers["cache-status"] == MISS
    assert short.exchanges() == asked + 1


async def test_what_is_put_back_after_its_expiry_does_not_open(short: Fleet) -> None:
    """Redis forgets by its own clock; whoever can write there can bring it back for ever."""
    one, other = short.members
    customer = somebody()
    name = short.name(customer)
    await one.account(customer)
    sealed = await short.until_kept(name)
    await short.until_gone(name)
    short.redis.tell("SET", name, sealed)
    before, asked = await unopenable(other, "expired"), short.exchanges()
    reply = await other.account(customer)
    assert reply.headers["cache-status"] == f'{MISS}; detail="unopenable"'
    assert await unopenable(other, "expired") == before + 1
    assert short.exchanges() == asked + 1


async def unopenable(member: Member, why: str) -> float:
    return (await member.metrics()).total("bss_sidecar_cache_unopenable_entries_total", why)


@patiently
async def test_the_callers_of_a_hot_customer_never_wait_for_the_vendor(short: Fleet) -> None:
    """Over several lives of the entry, each of which ends while all of them are asking."""
    customer = somebody()
    await short.members[0].account(customer)
    await short.until_kept(short.name(customer))
    asked, loop = short.exchanges(), asyncio.get_running_loop()
    until = loop.time() + LIVES * TTL_S

    async def ask_on(member: Member) -> list[Reply]:
        replies = []
        while loop.time() < until:
            replies.append(await member.account(customer))
            await asyncio.sleep(0.005)
        return replies

    short.vendor.latency_s = SLOW_S
    try:
        callers = [ask_on(member) for member in short.members for _ in range(CALLERS)]
        replies = [reply for some in await asyncio.gather(*callers) for reply in some]
    finally:
        short.vendor.latency_s = 0.0
    asked = short.exchanges() - asked
    waited = [one for one in replies if not one.headers["cache-status"].startswith(HIT)]
    tell(
        f"hot customer: {len(replies)} answers over {LIVES} lives, {len(waited)} waited for the "
        f"vendor, who was asked {asked} times; the slowest: {max(map(took_ms, replies)):.0f} ms"
    )
    assert len({reply.body for reply in replies}) == 1
    assert asked >= LIVES - 1
    assert asked <= len(short.members) * 2 * (LIVES + 1)
    if waited:
        raise TooLate(f"{len(waited)} of {len(replies)} callers waited")


def took_ms(reply: Reply) -> float:
    return float(reply.headers["server-timing"].partition("dur=")[2])
