"""A vendor that fails is asked less, not more; counted where it is asked."""

import asyncio
import random

import pytest

from adapters.outcome import Reason
from adapters.simulator.faults import Status, TooMany
from proxy.guard.breaker import later_s
from proxy.guard.retry_budget import MOST_SAVED
from tests.chaos.judge import Leeway
from tests.chaos.load import Answered, Rate, load, schedule
from tests.chaos.relay import Relay, Way
from tests.chaos.ways import ResetAtConnect, Silent
from tests.chaos.world import Lane, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

PERMITS = 3
"""Probes at once of a half-open breaker."""
RETRIES_SHARE, RETRIES_PER_S = 0.2, 1.0
"""As the settings have them by default."""
REST_S = 5.0
MANY = Rate(singles=20, batches=4, disputes=2, wholes=0)


def exchanges(lane: Lane) -> int:
    """Questions that reached the vendor, tokens aside."""
    counts = lane.vendor.traffic.counts
    return sum(counts.values()) - counts["token"]


async def opened_times(lane: Lane) -> int:
    told = (await lane.world.status())["connections"][lane.name]["breakers"]["vendor"]
    times: int = told["opened_times"]
    return times


async def under_load(lane: Lane, rate: Rate, seconds: float) -> list[Answered]:
    return await load(lane, schedule(lane, rate, seconds, random.Random(1)))


@pytest.mark.parametrize("way", [ResetAtConnect(), Silent()], ids=["resets", "silent"])
async def test_of_a_dead_vendor_only_the_probes_ask(whole: World, way: Way) -> None:
    lane = whole.lanes["amdocs"]
    relay = lane.relay
    assert isinstance(relay, Relay)
    async with relay.behaving(way):
        await under_load(lane, MANY, 1.5)
        attempts, openings = relay.accepted, await opened_times(lane)
        answered = await under_load(lane, MANY, 2.0)
        attempts, openings = relay.accepted - attempts, await opened_times(lane) - openings
    await lane.until_well()
    assert len(answered) >= 50
    assert openings <= 5, "its open time grows"
    assert attempts <= PERMITS * (openings + 1)


async def test_retries_stay_within_their_share_and_a_few_a_second(whole: World) -> None:
    lane, rate, seconds = whole.lanes["amdocs"], Rate(singles=0, batches=8, disputes=0, wholes=0), 2
    before = exchanges(lane)
    await under_load(lane, rate, seconds)
    asked = exchanges(lane) - before
    before = exchanges(lane)
    async with lane.answering(Status(status=500, share=0.4)):
        answered = await under_load(lane, rate, seconds)
    attempts = exchanges(lane) - before
    await lane.until_well()
    assert attempts <= (1 + RETRIES_SHARE) * asked + RETRIES_PER_S * seconds + MOST_SAVED
    assert any(one.said is not None and one.said.status == 200 for one in answered)


async def test_after_a_retry_after_nothing_leaves_for_so_long(whole: World) -> None:
    lane = whole.lanes["cerillion"]
    async with lane.answering(TooMany(retry_after=str(int(REST_S)), times=1)):
        first = await lane.world.ask(lane.question("account", 6))
        assert first is not None
        assert first.status == 503
        assert first.headers["bss-degraded"] == "rate_limited;unavailable=1"
        assert 4 <= int(first.headers["retry-after"]) <= REST_S + later_s(REST_S)
        before = exchanges(lane)
        answered = await under_load(lane, MANY.times(0.2), REST_S - 0.5)
        assert exchanges(lane) == before
    leeway = Leeway(reasons=frozenset({Reason.RATE_LIMITED}))
    verdicts = [
        lane.world.judge.verdict(one.question, one.said, leeway)
        for one in answered
        if any(number % 100 != 99 for number in one.question.numbers)  # who has a vendor's id
    ]
    assert len(verdicts) >= 15
    assert [one for one in verdicts if one.wrong or one.unexpected or one.is_full] == []
    await asyncio.sleep(0.5)
    assert await lane.until_well() < REST_S
