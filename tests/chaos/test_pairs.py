"""The promise, under two faults at once; `CHAOS_SEED=…` tries the same pairs again."""

import asyncio
import os
import random

import pytest

from tests.chaos.fault import all_faults
from tests.chaos.load import Rate
from tests.chaos.pairs import pair
from tests.chaos.test_faults import assert_in_time
from tests.chaos.trial import trial
from tests.chaos.world import World, vendor_lanes
from tests.servers.patience import patiently

SEED = os.environ.get("CHAOS_SEED", "20260225")  # noqa: TID251  (a test knob)
RATE = Rate(singles=8, batches=3, disputes=2, wholes=0)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.asyncio(loop_scope="session")
@patiently
async def test_the_promise_holds_under_pairs(whole: World, number: int) -> None:
    luck = random.Random(f"{SEED}/{number}")
    drawn = [(lane, pair(all_faults(), lane, luck)) for lane in vendor_lanes(whole)]
    pairs = [(lane, both) for lane, both in drawn if both is not None]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(trial(lane, *both, seconds=0.8, rate=RATE)) for lane, both in pairs
        ]
    found = [task.result() for task in tasks]
    told = [problem for one in found for problem in one.problems()]
    assert told == [], f"seed {SEED}"
    for findings, (_, both) in zip(found, pairs, strict=True):
        assert_in_time(findings, *both)
