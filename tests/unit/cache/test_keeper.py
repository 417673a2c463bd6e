"""Writes come after the answer, in bulk, bounded, and never hold anybody up."""

import asyncio
from uuid import UUID, uuid4

from adapters.outcome import Billing, Found
from config import settings
from proxy.cache.envelope import Envelopes, Key, billing_section
from proxy.cache.gather import DirectReads
from proxy.cache.keeper import AT_ONCE, LINGER_S, QUIET_S, WRITE_S, Keeper
from proxy.cache.keys import new_rings
from proxy.cache.means import Means
from proxy.cache.rules import Entry
from proxy.cache.store import StoreFailed
from proxy.guard.breaker import Breaker
from proxy.lifecycle import Tasks
from tests.servers.leaping import LeapingClock
from tests.unit.cache.caching import CONNECTION, TENANT, Counts, HeldStore, memory, turns

SECTION = billing_section(TENANT, CONNECTION)
A = uuid4()


class Bench:
    def __init__(self, clock: LeapingClock, *, most: int = 5_000, guarded: bool = False) -> None:
        self.clock = clock
        self.store = HeldStore(memory(clock))
        self.told = Counts()
        self.lost: list[BaseException] = []
        self.envelopes = Envelopes(new_rings())
        self.means = Means(self.envelopes, DirectReads(self.store), self.store)
        setting = settings.Breaker().model_copy(update={"minimum_calls": 2, "slow_call": 0.5})
        self.breaker = Breaker("writes", setting, clock=clock.loop_time)
        self.keeper = Keeper(
            self.means,
            spawn=Tasks(self.lost.append).spawn,
            most=most,
            witness=self.told,
            breaker=self.breaker if guarded else None,
        )

    def keep(self, customer_id: UUID, *, left_s: float = 30, plan: str = "Plan") -> Entry[Billing]:
        now_ms = round(self.clock.wall().timestamp() * 1000)
        ends_at_ms = now_ms + 30_000
        entry = Entry(Found(Billing(plan_name=plan)), now_ms, ends_at_ms, ends_at_ms, 1)
        self.keeper.keep(SECTION.key(customer_id), entry, left_s=left_s)
        return entry

    async def stored(self, customer_id: UUID) -> bool:
        (value,) = await self.store.store.get_many(
            [self.envelopes.names.of(*SECTION.key(customer_id))]
        )
        return value is not None


async def test_nothing_is_written_before_the_one_who_learned_it_goes_on(
    clock: LeapingClock,
) -> None:
    bench = Bench(clock)
    bench.keep(A)
    await turns()
    assert not bench.store.arrived.is_set()
    await bench.keeper.written()
    assert await bench.stored(A)


async def test_what_is_learned_together_is_written_together(clock: LeapingClock) -> None:
    bench = Bench(clock)
    ids = [uuid4() for _ in range(200)]
    for one in ids:
        bench.keep(one)
    bench.store.hold()
    writing = asyncio.gather(bench.keeper.written())
    await bench.store.arrived.wait()
    bench.store.gate.set()
    await writing
    assert bench.told.of == {"written": 200}
    assert all([await bench.stored(one) for one in ids])


async def test_nothing_is_written_while_more_is_being_learned(clock: LeapingClock) -> None:
    """A batch's waves, or one question after another, are not held up by writes in between."""
    clock.stop()
    bench = Bench(clock)
    for _ in range(4):
        bench.keep(uuid4())
        clock.leap(0.9 * QUIET_S)
        await turns()
    assert (bench.keeper.pending, bench.told.of["written"]) == (4, 0)
    clock.leap(QUIET_S)
    await turns(30)
    assert (bench.keeper.pending, bench.told.of["written"]) == (0, 4)


async def test_what_was_learned_first_waits_for_others_so_long_and_no_longer(
    clock: LeapingClock,
) -> None:
    clock.stop()
    bench = Bench(clock)
    lingered_s = 0.0
    while bench.told.of["written"] == 0:
        assert lingered_s <= LINGER_S
        bench.keep(uuid4())
        clock.leap(QUIET_S / 2)
        lingered_s += QUIET_S / 2
        await turns(30)
    assert lingered_s >= 0.9 * LINGER_S


async def test_as_much_as_is_written_at_once_does_not_wait_for_more(clock: LeapingClock) -> None:
    bench = Bench(clock)
    for _ in range(AT_ONCE):
        bench.keep(uuid4())
    await turns(200)
    assert bench.told.of["written"] == AT_ONCE


async def test_where_little_may_wait_nothing_is_dropped_because_it_lingers(
    clock: LeapingClock,
) -> None:
    bench = Bench(clock, most=2)
    for _ in range(10):
        bench.keep(uuid4())
        await turns(10)
    await bench.keeper.written()
    assert bench.told.of == {"written": 10}


async def test_what_is_forgotten_before_it_is_written_asks_the_store_nothing(
    clock: LeapingClock,
) -> None:
    bench = Bench(clock, guarded=True)
    bench.keep(A)
    bench.keeper.forget(SECTION.key(A))
    clock.leap(LINGER_S)
    await turns(10)
    assert not bench.store.arrived.is_set()
    await bench.keeper.written()


async def test_what_lingers_is_dropped_when_it_closes(clock: LeapingClock) -> None:
    bench = Bench(clock)
    bench.keep(A)
    await bench.keeper.aclose()
    bench.keep(uuid4())
    clock.leap(LINGER_S)
    await turns(10)
    assert (bench.keeper.pending, bench.store.arrived.is_set()) == (0, False)


async def test_under_pressure_what_is_too_much_is_dropped_and_counted(clock: LeapingClock) -> None:
    bench = Bench(clock, most=10)
    bench.store.hold()
    for _ in range(25):
        bench.keep(uuid4())
    assert (bench.keeper.pending, bench.told.of["dropped queue_full"]) == (10, 15)
    bench.store.gate.set()
    await bench.keeper.written()
    assert (bench.keeper.pending, bench.told.of["written"]) == (0, 10)


async def test_what_is_learned_anew_replaces_what_waits_also_in_a_full_queue(
    clock: LeapingClock,
) -> None:
    bench = Bench(clock, most=1)
    bench.keep(A)
    newer = bench.keep(A, plan="Newer")
    assert bench.keeper.recall(SECTION, A) is newer
    await bench.keeper.written()
    assert bench.told.of == {"written": 1}


async def test_a_store_that_hangs_costs_its_writes_and_no_more(clock: LeapingClock) -> None:
    bench = Bench(clock)
    bench.store.hold()
    for _ in range(AT_ONCE + 1):
        bench.keep(uuid4())
    writing = asyncio.gather(bench.keeper.written())
    await bench.store.arrived.wait()
    clock.leap(WRITE_S)
    await turns(30)
    bench.store.gate.set()
    await writing
    assert bench.told.of == {"dropped timeout": AT_ONCE, "written": 1}


async def test_a_store_that_takes_nothing_is_left_alone(clock: LeapingClock) -> None:
    bench = Bench(clock, guarded=True)
    bench.store.fails = StoreFailed("readonly")
    for number in range(1, 4):
        bench.keep(uuid4())
        await bench.keeper.written()
        assert bench.told.of["dropped readonly"] == min(number, 2)
    assert bench.told.of["dropped breaker_open"] == 1
    bench.store.fails = None
    clock.leap(2)
    bench.keep(A)
    await bench.keeper.written()
    assert await bench.stored(A), "and asked again later"


async def test_a_write_that_is_cut_off_gives_its_permit_back(clock: LeapingClock) -> None:
    bench = Bench(clock, guarded=True)
    bench.store.hold()
    bench.keep(A)
    writing = asyncio.gather(bench.keeper.written())
    await bench.store.arrived.wait()
    await bench.keeper.aclose()
    await writing
    assert bench.breaker.status().calls == 0
    assert bench.keeper.recall(SECTION, A) is None


async def test_what_waited_past_its_end_is_not_written(clock: LeapingClock) -> None:
    bench = Bench(clock)
    bench.keep(A, left_s=0.5)
    clock.leap(0.5)
    await bench.keeper.written()
    assert bench.told.of == {"dropped outlived": 1}


async def test_what_cannot_be_kept_is_dropped_and_harms_no_other(clock: LeapingClock) -> None:
    bench = Bench(clock)
    bench.keep(uuid4(), plan="x" * 100_000)
    bench.keep(A)
    await bench.keeper.written()
    assert bench.told.of == {"dropped unfit": 1, "written": 1}
    assert await bench.stored(A)


async def test_what_was_written_is_known_from_memory_for_a_moment_only(clock: LeapingClock) -> None:
    bench = Bench(clock)
    entry = bench.keep(A)
    await bench.keeper.written()
    assert bench.keeper.recall(SECTION, A) is entry
    clock.leap(0.2)
    await turns()
    assert bench.keeper.recall(SECTION, A) is None
    assert not bench.keeper.knows_any


async def test_what_is_learned_while_a_write_ends_is_written_too(clock: LeapingClock) -> None:
    bench = Bench(clock)
    for _ in range(20):
        bench.keep(uuid4())
        while bench.keeper.pending:
            await turns(1)
    await bench.keeper.written()
    assert bench.told.of == {"written": 20}
    assert bench.lost == []


async def test_who_is_forgotten_while_others_are_being_sealed_is_not_written(
    clock: LeapingClock,
) -> None:
    bench = Bench(clock)
    for _ in range(100):
        bench.keep(uuid4())
    bench.keep(A)
    while bench.keeper.pending:  # until it is taken in hand
        await turns(1)
    bench.keeper.forget(SECTION.key(A))
    await bench.keeper.written()
    assert bench.told.of == {"written": 100}


async def test_other_keys_and_another_store_are_used_from_the_next_write_on(
    clock: LeapingClock,
) -> None:
    bench = Bench(clock)
    bench.means.envelopes = bench.envelopes = Envelopes(new_rings())
    bench.means.store = bench.store = HeldStore(memory(clock))
    bench.keep(A)
    await bench.keeper.written()
    assert await bench.stored(A)


def test_keys_tell_nobody_whose_they_are() -> None:
    assert repr(Key(TENANT, CONNECTION, "billing", A)) == "Key()"
    assert str(A) not in repr(SECTION.key(A))
