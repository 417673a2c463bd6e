import asyncio

import pytest

from proxy.guard.lag import BEAT_S, LoopLag
from tests.servers.leaping import LeapingClock, leaping_clock

NEAR_S = 0.04
"""What a machine with other work to do may add to a leap."""


async def turn() -> None:
    """What is due by now has been called."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_stall_is_seen_by_who_watches() -> None:
    with leaping_clock() as clock:
        with LoopLag().watched() as watch:
            clock.leap(1.0)
            await turn()
        assert watch.late_s() == pytest.approx(1.0 - BEAT_S, abs=NEAR_S)


async def test_a_stall_that_is_not_over_is_seen_before_the_next_beat() -> None:
    with leaping_clock() as clock, LoopLag().watched() as watch:
        clock.leap(1.0)
        assert watch.late_s() == pytest.approx(1.0 - BEAT_S, abs=NEAR_S)


async def test_what_was_late_before_or_after_the_watch_is_not_counted() -> None:
    with leaping_clock() as clock:
        lag = LoopLag()
        with lag.watched():
            clock.leap(1.0)
            with lag.watched() as inner:  # it begins while the beat is overdue
                await turn()
                within_s = inner.late_s()
            clock.leap(1.0)
            await turn()
        assert within_s < NEAR_S
        assert inner.late_s() == pytest.approx(within_s)


async def test_a_loop_on_time_is_not_late() -> None:
    with leaping_clock() as clock:
        with LoopLag().watched() as watch:
            for _ in range(20):
                clock.leap(BEAT_S / 10)
                await turn()
        assert watch.late_s() < NEAR_S


async def test_stalls_add_up() -> None:
    with leaping_clock() as clock:
        with LoopLag().watched() as watch:
            for _ in range(3):
                clock.leap(0.5)
                await turn()
        assert watch.late_s() == pytest.approx(3 * (0.5 - BEAT_S), abs=3 * NEAR_S)


async def beats(clock: LeapingClock, lag: LoopLag) -> bool:
    clock.leap(BEAT_S * 1.1)
    await turn()
    return lag.is_beating


async def test_it_beats_only_while_somebody_watches() -> None:
    with leaping_clock() as clock:
        lag = LoopLag()
        assert not lag.is_beating
        with lag.watched():
            with lag.watched():
                assert await beats(clock, lag)
            assert await beats(clock, lag)
        assert not await beats(clock, lag)
        with lag.watched():
            assert await beats(clock, lag)


async def test_a_watch_ends_when_what_it_watches_breaks() -> None:
    with leaping_clock() as clock:
        lag = LoopLag()
        with pytest.raises(asyncio.CancelledError), lag.watched():
            raise asyncio.CancelledError
        assert not await beats(clock, lag)
