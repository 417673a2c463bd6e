"""What every store keeps to, whatever it is and however it is reached."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count

import pytest

from proxy.cache.store import MOST_NAMES, Put, Store, StoreFailed
from tests.servers.redis_kinds import CONNECTIONS, KINDS, Kind, running_kind

LONG_S = 60.0
SOON_S = 0.05
_numbers = count()


def fresh(number: int = 1) -> list[bytes]:
    """Names that nobody else has."""
    return [b"bss1:%d" % next(_numbers) for _ in range(number)]


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """The server's own clock decides, so it is asked again and again."""
    async with asyncio.timeout(10):
        while not await holds():  # noqa: ASYNC110  (another process holds the clock)
            await asyncio.sleep(0)


@pytest.fixture(params=KINDS, scope="module")
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    with running_kind(request.param) as kind:
        yield kind


@pytest.fixture
async def store(kind: Kind) -> AsyncIterator[Store]:
    opened = kind.open()
    yield opened
    await opened.aclose()


async def put(store: Store, names: Sequence[bytes], *, ttl_s: float = LONG_S) -> None:
    await store.put_many([Put(name, b"of " + name, ttl_s) for name in names])


async def test_what_was_put_is_there_in_the_order_asked(store: Store) -> None:
    known, other = fresh(20), fresh(5)
    await put(store, known)
    asked = [*known, *other, known[0]]
    random.shuffle(asked)
    expected = [b"of " + name if name in known else None for name in asked]
    assert list(await store.get_many(asked)) == expected


@pytest.mark.parametrize("value", [b"", b"\0\r\n*9999999\r\n\xff", bytes(100_000)])
async def test_any_bytes_come_back_as_they_were(store: Store, value: bytes) -> None:
    (name,) = fresh()
    await store.put_many([Put(name, value, LONG_S)])
    assert list(await store.get_many([name])) == [value]


async def test_as_many_as_may_be_asked_for_at_once_come_at_once(store: Store) -> None:
    names = fresh(MOST_NAMES)
    await put(store, names)
    assert list(await store.get_many(names)) == [b"of " + name for name in names]


async def test_nothing_asked_and_nothing_put_is_nothing(store: Store) -> None:
    assert list(await store.get_many([])) == []
    await store.put_many([])
    await store.forget([], [], LONG_S)


async def test_an_entry_is_gone_when_its_time_is_over(store: Store) -> None:
    short, long = fresh(2)
    await store.put_many([Put(short, b"short", SOON_S), Put(long, b"long", LONG_S)])

    async def is_gone() -> bool:
        return (await store.get_many([short]))[0] is None

    await eventually(is_gone)
    assert list(await store.get_many([long])) == [b"long"]


async def test_the_last_put_counts_and_its_time(store: Store) -> None:
    (name,) = fresh()
    await store.put_many([Put(name, b"first", SOON_S)])
    await store.put_many([Put(name, b"second", LONG_S), Put(other := fresh()[0], b"", SOON_S)])

    async def is_gone() -> bool:
        return (await store.get_many([other]))[0] is None

    await eventually(is_gone)
    assert list(await store.get_many([name])) == [b"second"]


async def test_what_is_forgotten_is_gone_and_what_is_not_stays(store: Store) -> None:
    forgotten, other = fresh(2), fresh(2)
    await put(store, [*forgotten, *other])
    await store.forget(forgotten, fresh(3), LONG_S)
    found = await store.get_many([*forgotten, *other])
    assert list(found) == [None, None, *(b"of " + name for name in other)]


async def test_a_tombstone_lets_nothing_of_its_own_stay(store: Store) -> None:
    stones, names = fresh(2), fresh(4)
    await store.forget([], [stones[1]], LONG_S)
    elsewhere = fresh()
    await store.put_many(
        [
            Put(names[0], b"0", LONG_S, stones),
            Put(names[1], b"1", LONG_S, elsewhere),
            Put(names[2], b"2", LONG_S),
            Put(names[3], b"3", LONG_S, [stones[1]]),
        ]
    )
    assert list(await store.get_many(names)) == [None, b"1", b"2", None]


async def test_a_tombstone_removes_what_was_there_before_the_put(store: Store) -> None:
    (stone,), (name,) = fresh(), fresh()
    await store.put_many([Put(name, b"before", LONG_S, [stone])])
    await store.forget([], [stone], LONG_S)
    await store.put_many([Put(name, b"after", LONG_S, [stone])])
    assert list(await store.get_many([name])) == [None]


async def test_who_is_forgotten_is_not_there_for_a_moment_either(kind: Kind) -> None:
    """Another process reads all the time while this one tries to write."""
    writer = kind.open()
    reader = writer if kind.redis is None else kind.open()
    (name,), stones = fresh(), fresh(2)
    await writer.forget([name], stones, LONG_S)
    writing = asyncio.create_task(_write_on(writer, Put(name, b"old", LONG_S, stones)))  # noqa: TID251  (awaited below)
    seen = set()
    while not writing.done():
        seen |= {*(await reader.get_many([name]))}
        await asyncio.sleep(0)
    await writing
    assert seen == {None}
    await writer.aclose()
    await reader.aclose()


async def _write_on(store: Store, entry: Put) -> None:
    for _ in range(50):
        await store.put_many([entry])


async def test_a_tombstone_ends_too(store: Store) -> None:
    (stone,), (name,) = fresh(), fresh()
    await store.forget([name], [stone], SOON_S)

    async def stays() -> bool:
        await store.put_many([Put(name, b"again", LONG_S, [stone])])
        return (await store.get_many([name]))[0] == b"again"

    await eventually(stays)


async def test_whoever_writes_while_another_forgets_leaves_nothing(kind: Kind) -> None:
    """Two processes' stores, in every order that chance brings about."""
    writer = kind.open()
    forgetter = writer if kind.redis is None else kind.open()
    stones, names = fresh(100), fresh(100)

    async def write(number: int) -> None:
        for _ in range(5):
            await writer.put_many([Put(names[number], b"old", LONG_S, [stones[number]])])

    async def forget(number: int) -> None:
        await forgetter.forget([names[number]], [stones[number]], LONG_S)

    works = [work(number) for number in range(100) for work in (write, forget)]
    random.shuffle(works)
    await asyncio.gather(*works)
    assert list(await writer.get_many(names)) == [None] * 100
    await writer.aclose()
    await forgetter.aclose()


async def test_the_cancelled_never_hand_their_reply_to_another(store: Store) -> None:
    """Every value names its name, and most askers are cancelled at some moment or other."""
    names = fresh(300)
    await put(store, names)
    wrong: list[object] = []

    async def ask(number: int) -> None:
        asked = random.sample(names, random.choice([1, 1, 2, 50]))
        if number % 7 == 0:
            await put(store, asked)
        elif list(await store.get_many(asked)) != [b"of " + name for name in asked]:
            wrong.append(asked)

    async def round_of_asking() -> None:
        tasks = [asyncio.create_task(ask(number)) for number in range(60)]  # noqa: TID251  (to be cancelled by hand)
        for task in random.sample(tasks, 40):
            for _ in range(random.choice([0, 0, 1, 2, 5])):
                await asyncio.sleep(0)
            task.cancel()
        for done in await asyncio.gather(*tasks, return_exceptions=True):
            assert done is None or isinstance(done, asyncio.CancelledError), done

    for _ in range(25):
        await round_of_asking()
    assert wrong == []
    assert list(await store.get_many(names)) == [b"of " + name for name in names]


async def test_a_forgetting_goes_on_when_its_caller_is_cancelled(store: Store) -> None:
    (name,) = fresh()
    await put(store, [name])
    forgetting = asyncio.create_task(store.forget([name], fresh(), LONG_S))  # noqa: TID251  (to be cancelled by hand)
    await asyncio.sleep(0)
    forgetting.cancel()
    with suppress(asyncio.CancelledError):
        await forgetting

    async def is_gone() -> bool:
        return (await store.get_many([name]))[0] is None

    await eventually(is_gone)


async def test_connections_are_bounded_and_kept(kind: Kind) -> None:
    if kind.redis is None:
        pytest.skip("memory has no connections")
    store, names = kind.open(), fresh(50)
    before = [server.connections() for server in kind.servers]
    seen: list[int] = []
    for _ in range(5):
        await asyncio.gather(*(store.get_many([name]) for name in names * 4))
        seen += [s.connections() - b for s, b in zip(kind.servers, before, strict=True)]
    await store.aclose()
    bound = CONNECTIONS + (kind.redis.get("cluster", False))  # one to look which node has what
    assert 0 < max(seen) <= bound


async def test_the_operator_is_told_what_kind_of_store_it_is(kind: Kind, store: Store) -> None:
    facts = await store.facts()
    assert kind.name.split("_")[0] in {facts.kind, facts.kind.removeprefix("redis-")} or (
        facts.kind == "redis"
    )
    if kind.name == "acl":  # its user may not read the configuration, and nothing was saved yet
        assert (facts.persistence, bool(facts.warning)) == ("unknown", True)
    else:
        assert (facts.persistence, facts.warning) == ("none", "")


async def test_a_closed_store_says_so(kind: Kind) -> None:
    store = kind.open()
    await store.get_many(fresh())
    await store.aclose()
    if kind.redis is None:
        assert (await store.facts()).entries == 0
        return
    with pytest.raises(StoreFailed) as failure:
        await store.get_many(fresh())
    assert failure.value.kind == "closed"


async def test_who_write_at_once_leave_each_other_alone(store: Store) -> None:
    names, stones = fresh(120), fresh(120)
    puts = [Put(n, b"of " + n, LONG_S, [s]) for n, s in zip(names, stones, strict=True)]
    await asyncio.gather(*(store.put_many(puts[start : start + 10]) for start in range(0, 120, 10)))
    assert list(await store.get_many(names)) == [b"of " + name for name in names]
