"""The pod is moved to another node: SIGTERM comes while questions are in flight. Here a second
sidecar on the same vendors has callers of its own, and is told to end in the middle of them.
Whoever was in flight is answered, and rightly; then it ends by itself, with status 0, and well
within its grace.
"""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from adapters.simulator.faults import Latency
from tests.chaos.fault import Fault
from tests.chaos.load import Answered, Rate, load, schedule
from tests.chaos.sidecar import SidecarProcess
from tests.chaos.world import Lane
from tests.servers.patience import TooLate

_SECONDS = 0.6
_GRACE_S = 5.0


class SigtermUnderLoad(Fault):
    alone = True
    vendor_faults = (Latency(delay_s=0.1),)

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        folder = lane.world.folder / "another"
        folder.mkdir(exist_ok=True)
        for name in ("sidecar.yaml", "names.json"):
            shutil.copy(lane.world.folder / name, folder)
        sidecar = SidecarProcess(folder)
        own = replace(lane, world=replace(lane.world, sidecar=sidecar))
        await sidecar.start()
        try:
            await own.until_well()
            async with super().around(lane), asyncio.TaskGroup() as group:
                ended = group.create_task(_ended_in_the_middle(own))
                yield
        finally:
            await sidecar.stop()
        _judge(own, *ended.result())


async def _ended_in_the_middle(own: Lane) -> tuple[int, float, list[Answered]]:
    """The exit status, when it was told to end, and the answers to what was asked before."""
    began = asyncio.get_running_loop().time()
    planned = schedule(own, Rate(singles=40, batches=8, wholes=0), _SECONDS, random.Random(0))
    async with asyncio.TaskGroup() as group:
        answered = group.create_task(load(own, planned))
        await asyncio.sleep(_SECONDS)
        own.world.is_down = True
        for _ in range(2):  # once it has answered those, it has read what was asked before
            await own.world.status()
        ended_s = asyncio.get_running_loop().time() - began
        status = await own.world.sidecar.stop(_GRACE_S)
    return status, ended_s, answered.result()


def _judge(own: Lane, status: int, ended_s: float, answered: list[Answered]) -> None:
    assert status == 0, f"exit status {status}"
    wrong = [
        words
        for one in answered
        for words in own.world.judge.verdict(one.question, one.said, Fault().leeway).wrong
    ]
    assert wrong == [], f"of {len(answered)} answers are wrong: {wrong}"
    if not any(one.began_s < ended_s < one.began_s + one.took_s for one in answered):
        raise TooLate("nobody was in flight")
