"""Reads of the store cost their callers next to nothing, whatever the store does."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from proxy.cache.gather import BREAKER, FLIGHTS, DirectReads, Gathered, GatheredReads
from proxy.cache.memory import MemoryStore
from proxy.cache.store import MOST_NAMES, FailureKind, Put, StoreFacts, StoreFailed
from proxy.guard.breaker import Breaker
from tests.servers.stopwatch import stopwatch

BUDGET_S = 0.005
PATIENT_S = 5.0


class Shelf:
    """A store that answers when it is let, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Sequence[bytes]] = []
        self.flying = 0
        self.most_flying = 0
        self.fails: FailureKind | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.is_asked = asyncio.Event()

    async def get_many(self, names: Sequence[bytes]) -> Sequence[bytes | None]:
        self.asked.append(names)
        self.flying += 1
        self.most_flying = max(self.most_flying, self.flying)
        self.is_asked.set()
        try:
            await self.open.wait()
        finally:
            self.flying -= 1
        if self.fails:
            raise StoreFailed(self.fails)
        return [None if name.startswith(b"no") else b"of " + name for name in names]

    async def put_many(self, entries: Sequence[Put]) -> None: ...

    async def forget(
        self, names: Sequence[bytes], tombstones: Sequence[bytes], ttl_s: float
    ) -> None: ...

    async def facts(self) -> StoreFacts:
        return StoreFacts(kind="shelf")

    async def aclose(self) -> None: ...


@pytest.fixture
async def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def make(shelf: Shelf) -> AsyncIterator[Callable[[float], GatheredReads]]:
    made: list[GatheredReads] = []

    def one(budget_s: float) -> GatheredReads:
        made.append(GatheredReads(shelf, budget_s=budget_s, breaker=Breaker("store", BREAKER)))
        return made[-1]

    yield one
    for reads in made:
        await reads.aclose()


@pytest.fixture
def reads(make: Callable[[float], GatheredReads]) -> GatheredReads:
    return make(PATIENT_S)


@pytest.fixture
def hasty(make: Callable[[float], GatheredReads]) -> GatheredReads:
    return make(BUDGET_S)


async def test_all_callers_of_one_turn_ask_once(shelf: Shelf, reads: GatheredReads) -> None:
    asked = [[b"a", b"b"], [b"no"], [b"b", b"a", b"c"]]
    answers = await asyncio.gather(*(reads.get_many(names) for names in asked))
    assert [list(answer.values) for answer in answers] == [
        [b"of a", b"of b"],
        [None],
        [b"of b", b"of a", b"of c"],
    ]
    assert [sorted(names) for names in shelf.asked] == [[b"a", b"b", b"c", b"no"]]
    assert {answer.bypassed for answer in answers} == {None}


async def test_who_comes_later_asks_anew(shelf: Shelf, reads: GatheredReads) -> None:
    await reads.get_many([b"a"])
    await reads.get_many([b"a"])
    assert shelf.asked == [(b"a",), (b"a",)]


async def test_nothing_is_asked_about_nobody(shelf: Shelf, reads: GatheredReads) -> None:
    assert await reads.get_many([]) == Gathered(())
    assert shelf.asked == []


async def test_no_more_travel_together_than_may(shelf: Shelf, reads: GatheredReads) -> None:
    names = [b"%d" % number for number in range(2 * MOST_NAMES + 1)]
    whole, part = await asyncio.gather(reads.get_many(names), reads.get_many([b"x"]))
    assert list(whole.values) == [b"of " + name for name in names]
    assert list(part.values) == [b"of x"]
    assert max(len(asked) for asked in shelf.asked) <= MOST_NAMES


async def test_names_wait_for_a_flight_that_is_over_and_travel_together(
    shelf: Shelf, reads: GatheredReads
) -> None:
    shelf.open.clear()
    async with asyncio.TaskGroup() as callers:
        tasks = []
        for number in range(FLIGHTS + 3):
            tasks.append(callers.create_task(reads.get_many([b"%d" % number])))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await shelf.is_asked.wait()
        assert shelf.flying == FLIGHTS
        shelf.open.set()
    assert [list(task.result().values) for task in tasks] == [
        [b"of %d" % number] for number in range(FLIGHTS + 3)
    ]
    assert shelf.most_flying == FLIGHTS
    assert len(shelf.asked) == FLIGHTS + 1


async def test_who_is_cancelled_disturbs_nobody(shelf: Shelf, reads: GatheredReads) -> None:
    shelf.open.clear()
    one, other = (
        asyncio.create_task(reads.get_many([name]))  # noqa: TID251  (to be cancelled by hand)
        for name in (b"a", b"b")
    )
    await shelf.is_asked.wait()
    one.cancel()
    await asyncio.wait([one])
    shelf.open.set()
    assert one.cancelled()
    assert (await other).values == [b"of b"]


async def test_who_left_before_anybody_was_asked_is_not_asked_about(
    shelf: Shelf, reads: GatheredReads
) -> None:
    leaving = asyncio.create_task(reads.get_many([b"a"]))  # noqa: TID251  (to be cancelled by hand)
    asyncio.get_running_loop().call_soon(leaving.cancel)
    await asyncio.wait([leaving])
    await reads.get_many([b"b"])
    assert shelf.asked == [(b"b",)]


async def test_a_store_that_hangs_costs_the_budget_and_then_nothing(
    shelf: Shelf, hasty: GatheredReads
) -> None:
    shelf.open.clear()
    with stopwatch() as took_s:
        answer = await hasty.get_many([b"a", b"b"])
    assert (list(answer.values), answer.bypassed) == ([None, None], "timeout")
    assert BUDGET_S <= took_s() < 20 * BUDGET_S
    while answer.bypassed == "timeout":
        answer = await hasty.get_many([b"a"])
    assert answer.bypassed == "breaker_open"
    asked = len(shelf.asked)
    assert (await hasty.get_many([b"a"])).bypassed == "breaker_open"
    assert len(shelf.asked) == asked


async def test_a_late_flight_is_not_cut_off(shelf: Shelf, hasty: GatheredReads) -> None:
    shelf.open.clear()
    await hasty.get_many([b"a"])
    assert shelf.flying == 1
    shelf.open.set()
    assert (await hasty.get_many([b"a"])).values == [b"of a"]
    assert shelf.flying == 0


async def test_late_flights_keep_nobody_waiting(shelf: Shelf, hasty: GatheredReads) -> None:
    """They are no longer counted among those that may fly at once."""
    shelf.open.clear()
    for _ in range(BREAKER.minimum_calls - 1):
        await hasty.get_many([b"a"])
    assert shelf.flying == BREAKER.minimum_calls - 1 >= FLIGHTS
    shelf.open.set()
    assert (await hasty.get_many([b"a"])).values == [b"of a"]


@pytest.mark.parametrize("kind", ["refused", "auth", "protocol", "starting"])
async def test_a_store_that_fails_has_nothing_and_is_soon_left_alone(
    shelf: Shelf, reads: GatheredReads, kind: FailureKind
) -> None:
    shelf.fails = kind
    for _ in range(BREAKER.minimum_calls):
        answer = await reads.get_many([b"a", b"b"])
        assert (list(answer.values), answer.bypassed) == ([None, None], kind)
    assert (await reads.get_many([b"a"])).bypassed == "breaker_open"
    assert len(shelf.asked) == BREAKER.minimum_calls


class FarAway(Shelf):
    """Answers from a thread of its own, while the event loop does something else."""

    async def get_many(self, names: Sequence[bytes]) -> Sequence[bytes | None]:
        loop = asyncio.get_running_loop()
        answered, is_busy, has_answered = loop.create_future(), threading.Event(), threading.Event()

        def answer() -> None:
            is_busy.wait()
            loop.call_soon_threadsafe(answered.set_result, None)
            has_answered.set()

        def be_busy() -> None:
            is_busy.set()
            has_answered.wait()
            _hold_up(loop)

        threading.Thread(target=answer).start()
        loop.call_soon(be_busy)
        await answered
        return [b"of " + name for name in names]


def _hold_up(loop: asyncio.AbstractEventLoop) -> None:
    """For longer than the budget."""
    end = loop.time() + 4 * BUDGET_S
    while loop.time() < end:
        pass


async def test_what_arrived_while_the_loop_was_busy_counts() -> None:
    reads = GatheredReads(FarAway(), budget_s=BUDGET_S, breaker=Breaker("store", BREAKER))
    for _ in range(5):
        assert await reads.get_many([b"a"]) == Gathered([b"of a"])
    await reads.aclose()


async def test_a_store_is_not_blamed_for_a_busy_loop(shelf: Shelf, hasty: GatheredReads) -> None:
    shelf.open.clear()
    loop = asyncio.get_running_loop()
    for _ in range(2 * BREAKER.minimum_calls):
        loop.call_later(BUDGET_S / 2, _hold_up, loop)
        assert (await hasty.get_many([b"a"])).bypassed == "timeout"
    assert hasty.breaker.status().calls == 0


async def test_a_store_that_is_back_is_used_again(shelf: Shelf, reads: GatheredReads) -> None:
    shelf.fails = "refused"
    while (await reads.get_many([b"a"])).bypassed != "breaker_open":
        pass
    shelf.fails = None
    async with asyncio.timeout(10 * BREAKER.open_time):
        while (answer := await reads.get_many([b"a"])).bypassed:  # noqa: ASYNC110  (its breaker has a clock)
            await asyncio.sleep(0)
    assert answer.values == [b"of a"]


async def test_at_the_end_nobody_is_left_waiting(shelf: Shelf, reads: GatheredReads) -> None:
    shelf.open.clear()
    waiting = asyncio.create_task(reads.get_many([b"a"]))  # noqa: TID251  (awaited below)
    await shelf.is_asked.wait()
    await reads.aclose()
    assert (await waiting).bypassed == "closed"
    assert shelf.flying == 0


async def test_memory_is_asked_directly() -> None:
    store = MemoryStore(entries=10, size=10_000)
    await store.put_many([Put(b"a", b"1", 10.0)])
    assert await DirectReads(store).get_many([b"a", b"b"]) == Gathered([b"1", None])


async def test_a_store_that_fails_directly_has_nothing(shelf: Shelf) -> None:
    shelf.fails = "full"
    assert await DirectReads(shelf).get_many([b"a"]) == Gathered([None], "full")
