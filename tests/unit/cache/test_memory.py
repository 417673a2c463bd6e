"""The memory store at a clock that tests move."""

import sys
from collections import OrderedDict
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cache.memory import OVERHEAD, MemoryStore
from proxy.cache.store import Put
from tests.unit.guard.breaking import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def put(store: MemoryStore, *names: bytes, value: bytes = b"v", ttl_s: float = 30.0) -> None:
    await store.put_many([Put(name, value, ttl_s) for name in names])


async def has(store: MemoryStore, *names: bytes) -> Sequence[bool]:
    return [value is not None for value in await store.get_many(names)]


async def test_an_entry_is_there_until_its_time_is_over_and_no_longer(clock: Clock) -> None:
    store = MemoryStore(entries=10, size=10_000, clock=clock)
    await put(store, b"a", ttl_s=5.0)
    clock.now += 4.999
    assert await has(store, b"a") == [True]
    clock.now += 0.001
    assert await has(store, b"a") == [False]
    assert (store.entries, store.size) == (0, 0)


async def test_who_was_used_least_recently_goes_first(clock: Clock) -> None:
    store = MemoryStore(entries=3, size=10_000, clock=clock)
    await put(store, b"a", b"b", b"c")
    await store.get_many([b"a"])
    await put(store, b"d")
    assert await has(store, b"a", b"b", b"c", b"d") == [True, False, True, True]


async def test_bytes_are_bounded_too(clock: Clock) -> None:
    store = MemoryStore(entries=100, size=3 * (OVERHEAD + 101), clock=clock)
    await put(store, b"a", b"b", b"c", b"d", value=bytes(100))
    assert await has(store, b"a", b"b", b"c", b"d") == [False, True, True, True]


async def test_what_alone_is_too_big_drives_nobody_out(clock: Clock) -> None:
    store = MemoryStore(entries=100, size=1000, clock=clock)
    await put(store, b"a")
    await put(store, b"b", value=bytes(1000))
    assert await has(store, b"a", b"b") == [True, False]


async def test_what_is_too_big_leaves_nothing_of_before(clock: Clock) -> None:
    store = MemoryStore(entries=100, size=1000, clock=clock)
    await put(store, b"a")
    await put(store, b"a", value=bytes(1000))
    assert await has(store, b"a") == [False]


async def test_a_million_customers_leave_it_as_big_as_it_may_be(clock: Clock) -> None:
    store = MemoryStore(entries=50_000, size=8 << 20, clock=clock)
    value = bytes(120)
    for start in range(0, 1_000_000, 1000):
        await store.put_many([Put(b"%032d" % n, value, 30.0) for n in range(start, start + 1000)])
        assert store.entries <= 50_000
        assert store.size <= 8 << 20
    assert store.size > 7 << 20
    assert await has(store, b"%032d" % 999_999, b"%032d" % 0) == [True, False]


def test_an_entry_takes_no_more_than_is_counted() -> None:
    """A name, a value, and what Python keeps beside them."""
    kept: OrderedDict[bytes, tuple[bytes, float]] = OrderedDict()
    empty = sys.getsizeof(kept)
    for number in range(10_000):
        kept[b"%048d" % number] = (bytes(200), 1.0 + number)
    beside = sys.getsizeof((b"", 1.0)) + sys.getsizeof(1.5)
    held = sum(sys.getsizeof(n) + sys.getsizeof(v) + beside for n, (v, _) in kept.items())
    assert (sys.getsizeof(kept) - empty + held) / 10_000 <= 48 + 200 + OVERHEAD + 16


steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "get", "forget", "wait"]),
        st.integers(0, 7),
        st.floats(0.1, 5),
        st.binary(max_size=300),
    ),
    max_size=60,
)


@given(steps)
async def test_whatever_happens_it_counts_what_it_has_and_has_only_what_was_put(
    story: list[tuple[str, int, float, bytes]],
) -> None:
    clock = Clock()
    store = MemoryStore(entries=4, size=1500, clock=clock)
    last: dict[bytes, tuple[bytes, float]] = {}
    for step, number, seconds, value in story:
        name = b"%d" % number
        if step == "put":
            await store.put_many([Put(name, value, seconds)])
            last[name] = (value, clock.now + seconds)
        elif step == "forget":
            await store.forget([name], [], seconds)
            last.pop(name, None)
        elif step == "wait":
            clock.now += seconds
        (found,) = await store.get_many([name])
        known, until = last.get(name, (None, 0.0))
        assert found is None or (found == known and clock.now < until)
        assert store.entries <= 4
        assert store.size == sum(len(n) + len(k.value) + OVERHEAD for n, k in store._kept.items())
        assert store.size <= 1500
