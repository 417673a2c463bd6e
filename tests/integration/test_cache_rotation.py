"""Both key rings turn over while two sidecars are under load, one sidecar after the other.

An operator adds a key at the end, then puts it first, then takes the old one away; each step when
the one before has reached every sidecar. (Where a key is first that another sidecar does not have
yet, that one sees misses, and forgets less: see `test_cache_forgetting`.)
"""

from collections.abc import Sequence

import pytest

from tests.integration.loading import FULL, under_load
from tests.servers.fleet import Fleet, Rings, eventually, somebody

HIT = "bss-sidecar; hit"
TURNS = 10 if FULL else 1

pytestmark = pytest.mark.asyncio(loop_scope="session")


def steps(old: Rings, new: Rings) -> Sequence[Rings]:
    return (
        Rings((*old.master, *new.master), (*old.names, *new.names)),
        Rings((*new.master, *old.master), (*new.names, *old.names)),
        new,
    )


async def turn(two: Fleet, rings: Rings) -> None:
    """One sidecar after the other."""
    for member in two.members:
        await member.turn(rings)
    two.rings = rings


async def is_hit(two: Fleet, customer: int) -> Sequence[bool]:
    """At each sidecar, the first of which did not learn it itself."""
    replies = [await member.account(customer) for member in reversed(two.members)]
    return [reply.headers["cache-status"].startswith(HIT) for reply in replies]


async def test_both_rings_turn_under_load_and_nobody_fails(two: Fleet) -> None:
    """`under_load` holds every answer against the truth."""
    async with under_load(two) as load:
        for number in range(TURNS):
            for step in steps(two.rings, Rings.new()):
                await turn(two, step)
                phase = await load.for_a_while(f"turn {number}", 0.0)
                assert phase.hits()
    for member in two.members:
        status = await member.status()
        assert (status["master_keys"], status["name_keys"]) == (1, 1)


async def test_an_entry_is_read_while_its_keys_are_in_the_rings_and_gone_after(two: Fleet) -> None:
    customer = somebody()
    await two.members[0].account(customer)
    await two.until_kept(two.name(customer))
    beside, first, alone = steps(two.rings, Rings.new())
    for step in (beside, first):
        await turn(two, step)
        asked = two.exchanges()
        assert await is_hit(two, customer) == [True, True]
        assert two.exchanges() == asked
    await turn(two, alone)
    assert not (await is_hit(two, customer))[0]
    assert two.exchanges() > asked


async def test_what_old_master_keys_sealed_does_not_open_when_they_are_gone(two: Fleet) -> None:
    """To take the master keys away is to forget everybody, although the names stay."""
    customer = somebody()
    await two.members[0].account(customer)
    await two.until_kept(two.name(customer))
    await turn(two, Rings(Rings.new().master, two.rings.names))
    reply = await two.members[1].account(customer)
    assert reply.headers["cache-status"] == 'bss-sidecar; fwd=uri-miss; detail="unopenable"'
    figures = await two.members[1].metrics()
    assert figures.total("bss_sidecar_cache_unopenable_entries_total", "unknown_key") >= 1


async def test_a_ring_that_cannot_be_read_leaves_the_last_good_one_at_work(two: Fleet) -> None:
    customer = somebody()
    one = two.members[0]
    await one.account(customer)
    await two.until_kept(two.name(customer))
    good = two.rings
    one.mount.update({**good.files(), "master": b"not a key\n"})

    async def is_told() -> bool:
        shown = (await one.running.admin.ask("GET", "/v1/status")).json()
        return any(file["kind"] == "cache_keys" for file in shown["files"])

    await eventually(is_told)
    assert await is_hit(two, customer) == [True, True]
    one.mount.update(good.files())


async def test_while_one_sidecar_is_a_step_ahead_both_find_what_the_other_writes(
    two: Fleet,
) -> None:
    beside, first, alone = steps(two.rings, Rings.new())
    one, other = two.members
    for before, after in ((two.rings, beside), (beside, first), (first, alone)):
        await turn(two, before)
        await one.turn(after)
        for writer, reader, rings in ((one, other, after), (other, one, before)):
            customer = somebody()
            await writer.account(customer)
            await two.until_kept(two.name(customer, rings=rings))
            reply = await reader.account(customer)
            assert reply.headers["cache-status"].startswith(HIT), (before, after)
    await turn(two, alone)
