"""What was broken and is mended serves again, and says so of itself."""

import asyncio
import random
from typing import Any

import pytest

from tests.chaos.fault import all_faults
from tests.chaos.load import Rate, load, schedule
from tests.chaos.world import Lane, World
from tests.servers.patience import TooLate, patiently

pytestmark = pytest.mark.asyncio(loop_scope="session")

RATE = Rate(singles=12, batches=4, disputes=1, wholes=0)
PROBE_S = 0.6
"""For a probe, the exchanges of a first full answer, and a machine that has other work to do."""
BREAKING = {
    "connection_refused": "amdocs",
    "accepted_and_silent": "cerillion",
    "vendor_500": "csg",
}


async def breakers(lane: Lane) -> Any:
    return (await lane.world.status())["connections"][lane.name]["breakers"]


@pytest.mark.parametrize("name", BREAKING)
@patiently
async def test_full_service_is_back_within_one_open_time_and_one_probe(
    whole: World, name: str
) -> None:
    lane = whole.lanes[BREAKING[name]]
    async with all_faults()[name].around(lane):
        await load(lane, schedule(lane, RATE, 1.0, random.Random(2)))
        told, shown = await whole.breakers(lane.name), await whole.breaker_gauges(lane.name)
        assert told["vendor"] in ("open", "half_open")
        assert shown["vendor"] in ("open", "half_open")
        left_s = (await breakers(lane))["vendor"]["opens_for_s"]
    took_s = await lane.until_well()  # it also compares the status with the gauges
    if took_s > left_s + PROBE_S:
        raise TooLate(f"{took_s:.2f} s, of which {left_s:.2f} s were left of the open time")
    assert (await whole.breakers(lane.name))["vendor"] == "closed"


async def test_an_open_breaker_tells_who_asks_when_to_ask_again(whole: World) -> None:
    lane = whole.lanes["amdocs"]
    async with all_faults()["connection_refused"].around(lane):
        await load(lane, schedule(lane, RATE, 0.5, random.Random(3)))
        said = await whole.ask(lane.question("account", 6))
    assert said is not None
    assert said.status == 503
    assert 1 <= int(said.headers["retry-after"]) <= 60
    await lane.until_well()


@patiently
async def test_all_lanes_that_break_at_once_come_back_and_the_local_one_never_notices(
    whole: World,
) -> None:
    fault, local = all_faults()["connection_refused"], whole.lanes["local"]
    broken = [whole.lanes[name] for name in BREAKING.values()]

    async def broken_for_a_while(lane: Lane) -> None:
        async with fault.around(lane):
            await load(lane, schedule(lane, RATE, 0.5, random.Random(4)))

    async with asyncio.TaskGroup() as group:
        for lane in broken:
            group.create_task(broken_for_a_while(lane))
        asked = group.create_task(load(local, schedule(local, RATE, 0.5, random.Random(5))))
    for lane in broken:
        await lane.until_well()
    for one in asked.result():
        assert one.said is not None
        degraded = one.said.headers.get("bss-degraded", "")
        if degraded.startswith("deadline"):
            raise TooLate(f"the local one: {degraded}")
        assert not degraded
