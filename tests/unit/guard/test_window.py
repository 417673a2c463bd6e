from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from proxy.guard.window import BUCKETS, Window

LENGTH_S = 10.0

steps_s = st.one_of(st.sampled_from([0.0, 0.001, 0.999, 1.0, 9.0, 10.0, 11.0]), st.floats(0, 30))
endings = st.lists(st.tuples(steps_s, st.booleans(), st.booleans()), max_size=80)


def counts(window: Window, now: float) -> tuple[int, int, int]:
    return window.calls(now), window.failures(now), window.slow(now)


@given(endings, steps_s)
def test_it_counts_what_ended_within_its_length_to_a_tenth_of_it(
    story: list[tuple[float, bool, bool]], later_s: float
) -> None:
    window = Window(LENGTH_S)
    times = list(accumulate(step for step, _, _ in story))
    for now, (_, failed, slow) in zip(times, story, strict=True):
        window.add(now, failed=failed, slow=slow)
    now = (times[-1] if times else 0.0) + later_s

    def within(age_s: float) -> tuple[int, int, int]:
        ended = [end for at, end in zip(times, story, strict=True) if now - at < age_s]
        return len(ended), sum(end[1] for end in ended), sum(end[2] for end in ended)

    seen = counts(window, now)
    at_least, at_most = within(LENGTH_S * (1 - 1 / BUCKETS)), within(LENGTH_S)
    assert all(low <= n <= high for low, n, high in zip(at_least, seen, at_most, strict=True))


@given(endings)
def test_its_memory_does_not_grow_with_load(story: list[tuple[float, bool, bool]]) -> None:
    window, now = Window(LENGTH_S), 0.0
    for step_s, failed, slow in story * 20:
        now += step_s
        window.add(now, failed=failed, slow=slow)
        assert len(window._buckets) <= BUCKETS


def test_an_emptied_window_counts_from_nothing() -> None:
    window = Window(LENGTH_S)
    window.add(0.0, failed=True, slow=True)
    window.clear()
    assert counts(window, 0.0) == (0, 0, 0)
    window.add(0.0, failed=True, slow=False)
    assert counts(window, 0.0) == (1, 1, 0)
    assert counts(window, LENGTH_S + 1) == (0, 0, 0)


def test_a_clock_that_stands_or_steps_back_a_little_loses_nothing() -> None:
    window = Window(LENGTH_S)
    window.add(5.0, failed=True, slow=False)
    window.add(3.9, failed=False, slow=True)
    assert counts(window, 5.0) == (2, 1, 1)
