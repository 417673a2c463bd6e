"""What counts as a leak, and when a machine is too busy to judge."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.outcome import Reason
from tests.chaos.fault import all_faults
from tests.chaos.full import Outcome, Plan
from tests.chaos.leaks import A_LITTLE_BYTES, Balance
from tests.chaos.sidecar import Census
from tests.chaos.trial import ALLOWANCE_S, Findings

MB = 1_000_000
BEFORE = Census(tasks={"serve": 2}, files=20, sockets=9, resident_bytes=150 * MB)


def findings(*beyond_s: float, name: str = "vendor_500") -> Findings:
    return Findings(name=name, lane="csg", questions=len(beyond_s), beyond_s=list(beyond_s))


def outcome(*under_faults: Findings, cpu: float = 0.4, waited: float = 0.0) -> Outcome:
    calm = findings(*[-0.3] * 1_000, name="no_fault")
    return Outcome(
        plan=Plan(folder=Path()), cpu=cpu, waited=waited, control=[calm], alone=[*under_faults]
    )


def test_what_is_as_before_is_no_leak() -> None:
    assert Balance(BEFORE, BEFORE, [150 * MB] * 60).problems() == []
    fewer = replace(BEFORE, tasks={"serve": 1}, files=12, resident_bytes=90 * MB)
    assert Balance(BEFORE, fewer).problems() == []


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (replace(BEFORE, tasks={"serve": 2, "forgotten": 1}), "tasks"),
        (replace(BEFORE, tasks={"serve": 3}), "tasks"),
        (replace(BEFORE, files=21), "files"),
        (replace(BEFORE, resident_bytes=150 * MB + A_LITTLE_BYTES + 1), "memory"),
    ],
)
def test_whatever_is_left_behind_is_told(after: Census, told: str) -> None:
    [problem] = Balance(BEFORE, after).problems()
    assert told in problem


@pytest.mark.parametrize(
    ("under_load", "grows"),
    [
        ([], False),
        ([150 * MB], False),
        ([150 * MB + n * MB // 60 for n in range(600)], False),  # 10 MB in ten minutes
        ([150 * MB + n * MB // 6 for n in range(600)], True),  # 100 MB
        ([150 * MB] * 300 + [190 * MB] * 300, True),
        ([190 * MB, *[150 * MB] * 598, 250 * MB], False),  # a moment is no trend
    ],
)
def test_memory_that_goes_on_growing_is_told_though_it_is_given_back(
    under_load: Sequence[int], *, grows: bool
) -> None:
    assert bool(Balance(BEFORE, BEFORE, under_load).problems()) is grows


def test_one_late_answer_in_a_thousand_is_allowed_and_two_are_not() -> None:
    for late, is_broken in ((1, False), (2, True)):
        made = outcome(findings(*[-0.1] * (1_000 - late), *[ALLOWANCE_S + 0.1] * late))
        made.judge_time()
        assert bool(made.broken) is is_broken


def test_half_a_second_late_is_too_late_for_anybody() -> None:
    made = outcome(findings(*[-0.1] * 10_000, 0.51))
    made.judge_time()
    assert made.broken


@pytest.mark.parametrize("busy", [{"cpu": 0.7}, {"waited": 0.2}])
def test_on_a_machine_that_is_too_busy_lateness_is_told_and_not_judged(
    busy: dict[str, float],
) -> None:
    made = outcome(findings(*[0.3] * 100), **busy)
    made.judge_time()
    assert made.broken == []
    assert made.late


def test_a_fault_that_did_not_show_is_told_wherever_enough_was_asked() -> None:
    fault = all_faults()["vendor_500"]
    made = findings(*[-0.1] * 100)
    made.took_s = [0.1] * 100
    made.degraded[Reason.UNREACHABLE] = 100
    [told] = made.unfelt([fault])
    assert "did not show" in told
    assert made.problems() == []
    made.degraded[Reason.VENDOR_ERROR] = 1
    assert made.unfelt([fault]) == []


def test_what_a_machine_degrades_without_a_fault_shows_that_it_is_too_busy() -> None:
    made = outcome()
    assert made.is_calm
    made.control[0].unexpected[Reason.DEADLINE] = 2
    assert not made.is_calm
