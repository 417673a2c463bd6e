"""The limit against vendors as arithmetic, see `pretend_vendors`."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.guard.limit import KINDS, AdaptiveLimit
from tests.unit.guard.pretend_vendors import (
    Mixed,
    Queueing,
    Sharing,
    Steady,
    Story,
    Vendor,
    bursts,
    busy,
    lived,
    quiet_then_busy,
)

FLOOR, CEILING = 4, 32
LOADS = pytest.mark.parametrize("callers", [quiet_then_busy, bursts, busy])
SEEDS = pytest.mark.parametrize("seed", [1, 2])

Callers = Callable[[float], int]


def life(vendor: Vendor, callers: Callers, *, until: float, seed: int = 1) -> Story:
    return lived(AdaptiveLimit(FLOOR, CEILING), vendor, callers=callers, until=until, seed=seed)


@LOADS
@SEEDS
@pytest.mark.parametrize(
    "vendor",
    [
        lambda: Steady(lambda _now: 0.02),
        lambda: Steady(lambda _now: 0.4, noise=0.5),
        lambda: Steady(lambda _now: 0.05, slow_share=0.02),
        lambda: Steady(lambda _now: 0.05, slow_share=0.02, slow_factor=30),
        lambda: Mixed(tells_kinds=True),
        lambda: Queueing(16),
    ],
    ids=["quick", "slow and noisy", "slow tail", "tail that times out", "two kinds", "can do it"],
)
def test_a_vendor_that_is_as_always_is_asked_as_much_as_may_be(
    vendor: Callable[[], Vendor], callers: Callers, seed: int
) -> None:
    story = life(vendor(), callers, until=30, seed=seed)
    assert min(story.between(0, 30)) >= 0.8 * CEILING
    assert story.mean(0, 30) > 0.98 * CEILING


@LOADS
@SEEDS
def test_kinds_that_nobody_tells_apart_cost_a_few_slots_now_and_then(
    callers: Callers, seed: int
) -> None:
    story = life(Mixed(tells_kinds=False), callers, until=30, seed=seed)
    assert min(story.between(0, 30)) >= CEILING / 2
    assert story.mean(0, 30) > 0.95 * CEILING


@LOADS
@SEEDS
@pytest.mark.parametrize("vendor", [Queueing, Sharing])
@pytest.mark.parametrize("capacity", [4, 8])
def test_what_a_vendor_can_not_do_at_once_waits_here_and_not_there(
    vendor: Callable[[int], Vendor], capacity: int, callers: Callers, seed: int
) -> None:
    story = life(vendor(capacity), callers, until=60, seed=seed)
    assert capacity <= story.mean(30, 60) < 3.5 * capacity
    if callers is not bursts:
        assert story.rate(30, 60) > 0.95 * capacity / 0.052, "and it is never idle"


@LOADS
@SEEDS
def test_a_vendor_that_slows_down_by_itself_is_asked_less_until_it_is_as_before(
    callers: Callers, seed: int
) -> None:
    vendor = Steady(lambda now: 0.5 if 20 <= now < 40 else 0.05)
    story = life(vendor, callers, until=80, seed=seed)
    assert story.mean(0, 20) == CEILING
    assert min(story.between(20, 40)) <= 2 * FLOOR
    assert story.mean(28, 40) < CEILING * 2 / 3
    assert story.mean(50, 80) > 0.95 * CEILING


@LOADS
def test_a_vendor_that_is_slower_for_good_is_taken_as_it_is_in_some_minutes(
    callers: Callers,
) -> None:
    story = life(Steady(lambda now: 0.15 if now > 20 else 0.05), callers, until=300)
    assert min(story.between(20, 60)) < CEILING
    assert story.mean(200, 300) > 0.98 * CEILING


@LOADS
@SEEDS
def test_a_vendor_that_hangs_is_asked_as_little_as_may_be(callers: Callers, seed: int) -> None:
    vendor = Steady(lambda now: 5.0 if 20 <= now < 30 else 0.05)
    story = life(vendor, callers, until=60, seed=seed)
    assert min(story.between(25, 32)) == FLOOR
    assert story.mean(40, 60) > 0.9 * CEILING


def test_a_vendor_that_says_too_many_is_asked_less() -> None:
    limit = AdaptiveLimit(FLOOR, CEILING)
    for n in range(20):
        limit.observe(0.01, dropped=n % 4 == 0, in_flight=32, now=1 + n * 0.02)
    assert limit.limit == CEILING / 2


def test_what_began_before_a_change_says_nothing_about_what_is_now() -> None:
    """A hundred that hang together lose together, and are one sign."""
    limit = AdaptiveLimit(FLOOR, CEILING)
    for _ in range(100):
        limit.observe(1.0, dropped=True, in_flight=32, now=5.0)
    assert limit.limit == CEILING / 2


def test_a_limit_that_is_hardly_used_stays_as_it_is() -> None:
    limit = AdaptiveLimit(FLOOR, CEILING)
    for n in range(20):
        limit.observe(1.0, dropped=True, in_flight=32, now=1 + n)
    reached = limit.limit
    for n in range(1000):
        limit.observe(0.05, dropped=False, in_flight=1, now=100 + n)
    assert limit.limit == reached < CEILING


def test_slow_is_what_takes_well_over_what_is_usual_for_its_kind() -> None:
    limit = AdaptiveLimit(FLOOR, CEILING)
    assert not limit.is_slow(10.0, "never seen")
    for n in range(20):
        limit.observe(0.1, dropped=False, in_flight=1, now=1.0 + n, kind="a")
    assert limit.is_slow(0.21, "a")
    assert not limit.is_slow(0.19, "a")


observations = st.lists(
    st.tuples(
        st.floats(0, 60), st.booleans(), st.integers(1, 40), st.floats(0, 5), st.integers(0, 3)
    ),
    max_size=200,
)


@given(observations, st.integers(1, 40), st.integers(1, 40))
def test_a_limit_stays_between_its_floor_and_its_ceiling(
    story: list[tuple[float, bool, int, float, int]], floor: int, ceiling: int
) -> None:
    limit = AdaptiveLimit(floor, ceiling)
    now = 0.0
    for took_s, dropped, in_flight, passes_s, kind in story:
        now += passes_s
        said = limit.observe(took_s, dropped=dropped, in_flight=in_flight, now=now, kind=kind)
        assert min(floor, ceiling) <= said == limit.limit <= ceiling


def test_kinds_without_end_take_no_memory_without_end() -> None:
    limit = AdaptiveLimit(FLOOR, CEILING)
    for n in range(10 * KINDS):
        limit.observe(0.1, dropped=False, in_flight=1, now=n, kind=n)
    assert len(limit._usual) == KINDS
