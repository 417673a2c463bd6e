"""The promise, under every fault alone: a second of load for each; `make chaos` takes its time."""

import asyncio
from pathlib import Path

import pytest

from tests.chaos.fault import Fault, all_faults, module_of
from tests.chaos.load import Rate
from tests.chaos.rounds import Round, rounds
from tests.chaos.trial import ALLOWANCE_S, Findings, trial
from tests.chaos.world import World
from tests.servers.patience import TooLate, patiently

SECONDS = 0.8
RATE = Rate(singles=8, batches=3, disputes=2, wholes=0)
WITH_A_WHOLE = Rate(singles=8, batches=2, disputes=1, wholes=1)
"""A batch of 200 costs its vendor hundreds of exchanges: one lane of a round has one."""

ROUNDS = rounds(all_faults().values())


def named(one: Round) -> str:
    return "+".join(place.fault.name for place in one)


@pytest.mark.parametrize("one", ROUNDS, ids=named)
@pytest.mark.asyncio(loop_scope="session")
@patiently
async def test_the_promise_holds_under_every_fault(whole: World, one: Round) -> None:
    tried = [place for place in one if place.fault.fits(whole.lanes[place.lane])]
    if not tried:
        pytest.skip("there is no PostgreSQL")
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                trial(
                    whole.lanes[place.lane],
                    place.fault,
                    seconds=SECONDS,
                    rate=RATE if number else WITH_A_WHOLE,
                )
            )
            for number, place in enumerate(tried)
        ]
    found = [task.result() for task in tasks]
    problems = [problem for findings in found for problem in findings.problems()]
    assert problems == []
    for place, findings in zip(tried, found, strict=True):
        assert_in_time(findings, place.fault)
        if findings.name == "no_fault" and findings.unexpected:
            raise TooLate(f"without a fault: {dict(findings.unexpected)}")


def assert_in_time(findings: Findings, *faults: Fault) -> None:
    """All of them, on a few tries: a hundred answers have no 99.9th percentile."""
    if unfelt := findings.unfelt(faults):
        raise TooLate("; ".join(unfelt))
    if findings.latest_s > ALLOWANCE_S:
        raise TooLate(f"{findings.name}: {findings.latest_s:.3f} s after the deadline")


@pytest.mark.parametrize("name", all_faults())
def test_a_fault_tells_in_one_paragraph_what_breaks(name: str) -> None:
    told = module_of(name).__doc__ or ""
    assert len(told.split()) >= 20
    assert "\n\n" not in told.strip()


def test_every_fault_is_tried_once_and_the_control_is_among_them() -> None:
    tried = [place.fault.name for one in ROUNDS for place in one]
    assert sorted(tried) == sorted(all_faults())
    assert "no_fault" in tried
    files = {one.stem for one in (Path(__file__).parent / "faults").glob("*.py")}
    assert set(tried) == files - {"__init__"}
