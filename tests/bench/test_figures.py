"""How figures are judged."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.figures import Findings, Outcome, Row, Sample, Target, as_json, shown

FIGURES = st.floats(min_value=0.001, max_value=1e6)
ROUNDS = st.lists(FIGURES, min_size=1, max_size=30)
LIMITS = st.floats(min_value=0.01, max_value=1e6)


def target(limit: float, *, at_least: bool = False) -> Target:
    return Target(name="one", what="a figure", limit=limit, at_least=at_least)


@given(ROUNDS)
def test_the_quartiles_stand_around_the_median_and_within_what_was_measured(
    rounds: list[float],
) -> None:
    sample = Sample.of(rounds)
    order = [min(rounds), sample.low, sample.median, sample.high, max(rounds)]
    assert all(a <= b or a == pytest.approx(b) for a, b in itertools.pairwise(order))


@given(rounds=ROUNDS, limit=LIMITS, at_least=st.booleans())
def test_a_target_is_met_exactly_when_the_median_holds_it(
    rounds: list[float], limit: float, *, at_least: bool
) -> None:
    sample = Sample.of(rounds)
    holds = sample.median >= limit if at_least else sample.median <= limit
    assert (target(limit, at_least=at_least).judge(sample).outcome is Outcome.MET) is holds


@given(FIGURES, LIMITS)
def test_without_noise_what_is_not_met_is_missed(figure: float, limit: float) -> None:
    verdict = target(limit).judge(Sample.of([figure] * 5))
    assert verdict.outcome in {Outcome.MET, Outcome.MISSED}


@given(rounds=ROUNDS, limit=LIMITS, at_least=st.booleans())
def test_it_is_missed_only_when_half_of_the_rounds_or_more_miss_it(
    rounds: list[float], limit: float, *, at_least: bool
) -> None:
    if target(limit, at_least=at_least).judge(Sample.of(rounds)).outcome is Outcome.MISSED:
        missing = [one for one in rounds if (one < limit if at_least else one > limit)]
        assert len(missing) * 2 >= len(rounds)


def test_a_miss_is_noise_while_a_quarter_of_the_rounds_holds() -> None:
    noisy, clear = Sample.of([0.9, 0.95, 1.1, 1.2, 1.3]), Sample.of([1.05, 1.1, 1.2, 1.3])
    assert target(1.0).judge(noisy).outcome is Outcome.NOISE
    assert target(1.0).judge(clear).outcome is Outcome.MISSED
    assert target(1.0).judge(clear).excess == pytest.approx(0.15)
    assert target(3.0, at_least=True).judge(Sample.of([2.0, 2.5, 3.5])).outcome is Outcome.NOISE
    assert target(3.0, at_least=True).judge(Sample.of([2.0, 2.4, 2.6])).excess == pytest.approx(0.2)


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert target(1.0).judge(None).outcome is Outcome.UNKNOWN


@given(st.lists(st.tuples(FIGURES, FIGURES), min_size=1, max_size=20))
def test_a_ratio_is_taken_round_by_round(pairs: list[tuple[float, float]]) -> None:
    """What slows both sides of a round down is not in it."""
    mine, theirs = (Sample(side) for side in zip(*pairs, strict=True))
    slower = mine.times(3).over(theirs.times(3)).rounds
    assert slower == pytest.approx(mine.over(theirs).rounds)


def test_rounds_that_were_not_measured_together_are_not_compared() -> None:
    with pytest.raises(ValueError, match="one by one"):
        Sample.of([1.0, 2.0]).over(Sample.of([1.0]))
    with pytest.raises(ValueError, match="at least one"):
        Sample.of([])


def test_a_figure_is_shown_with_its_spread_and_kept_with_its_rounds() -> None:
    sample = Sample.of([100.0, 102.3, 104.1])
    assert shown("cpu_us", sample) == "102.3 (101.2–103.2)"
    assert shown("cpu_us", Sample.of(7)) == "7.0"
    told = as_json(Findings([Row("bare", {"cpu_us": sample})], {"one": sample}), [target(99)])
    assert told["rows"][0]["figures"]["cpu_us"]["rounds"] == [100.0, 102.3, 104.1]
    assert (told["targets"][0]["outcome"], told["targets"][0]["target"]) == ("missed", "≤ 99.00 ×")
