"""What an answer about 200 customers costs the pod: through its client, or by itself with httpx.

Both keep their connections, have 64 exchanges in flight, and end with the same total. The direct
calls do less: they neither price, nor check whose rows came, nor keep anything.
"""

import asyncio
import ctypes
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from tests.bench.asking_pod import Task
from tests.bench.figures import Findings, Row, Target
from tests.bench.lab import Lab, laboratory
from tests.bench.load import WrongAnswers
from tests.bench.measures import Measure
from tests.bench.mounted import CUSTOMERS, TENANT, Setting
from tests.bench.stage import Stage

LATENCY = "20ms"
EACH_ROUND = 3
DIRECT = "200 direct httpx calls"
FRESH, FILTERED, KEPT = "client, nothing cached", "client, filters of 50", "client, cached"

TARGETS = (
    Target(
        name="pod_faster",
        what="batch of 200, nothing cached, against 200 direct httpx calls from the pod: faster by",
        limit=3,
        at_least=True,
    ),
    Target(
        name="pod_cpu",
        what="the same: less CPU in the pod, through the client, by",
        limit=50,
        at_least=True,
        digits=0,
    ),
)


async def _run(stage: Stage, rounds: int) -> Findings:
    lab = await laboratory(stage, LATENCY)
    async with AsyncExitStack() as up:
        pods = {name: partial(one.ask, EACH_ROUND) for name, one in (await _pods(lab, up)).items()}
        seen = await stage.in_turn(rounds, pods)
    direct = seen[DIRECT]
    beside = {
        name: {figure: direct[figure].over(one[figure]) for figure in ("p50_ms", "cpu_ms")}
        for name, one in seen.items()
    }
    rows = [
        Row(
            name,
            one,
            ratios={"faster by": beside[name]["p50_ms"], "less CPU by": beside[name]["cpu_ms"]},
        )
        for name, one in seen.items()
    ]
    measured = {"pod_faster": beside[FRESH]["p50_ms"], "pod_cpu": beside[FRESH]["cpu_ms"]}
    return Findings(rows, measured, [f"The vendor thinks for {LATENCY}. CPU is the pod's alone."])


class Pod:
    """One process that asks; see `tests.bench.asking_pod`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, batches: int) -> Mapping[str, float]:
        """What one of so many took. Raises `WrongAnswers` when a total was wrong."""
        assert self._process.stdin
        self._process.stdin.write(f"{batches}\n".encode())
        told: Mapping[str, float] = json.loads(await self.heard())
        return told

    async def heard(self) -> str:
        assert self._process.stdout
        if line := await self._process.stdout.readline():
            return line.decode().strip()
        raise WrongAnswers("the pod ended: its standard error says why")


async def _pods(lab: Lab, up: AsyncExitStack) -> Mapping[str, Pod]:
    port, folder = lab.doors[LATENCY], str(lab.stage.mounted.folder)
    direct = Task(url=f"https://localhost:{port}", through_client=False, folder=folder)
    tasks = {DIRECT: direct}
    for name, batches in ((FRESH, 1), (FILTERED, 50)):
        setting = Setting(vendor_port=port, redis_url=lab.redis_url, batches=batches)
        sidecar = await up.enter_async_context(lab.sidecar(f"pod{batches}", setting))
        first = 0 if name == FRESH else CUSTOMERS // 2
        tasks[name] = Task(
            url=sidecar.urls["data"], through_client=True, tenant=TENANT, first=first
        )
        tasks[KEPT] = Task(
            url=sidecar.urls["data"], through_client=True, tenant=TENANT, repeats=True
        )
    return {name: await up.enter_async_context(_pod(lab, task)) for name, task in tasks.items()}


@asynccontextmanager
async def _pod(lab: Lab, task: Task) -> AsyncIterator[Pod]:
    core = lab.stage.cores.load

    def settle() -> None:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        os.sched_setaffinity(0, {core})

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.asking_pod"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=settle,
    )
    try:
        assert process.stdin
        process.stdin.write(task.as_json().encode() + b"\n")
        pod = Pod(process)
        await pod.heard()
        yield pod
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


MEASURES = (
    Measure(
        name="pod",
        title="An answer about 200 customers, as the pod sees it",
        targets=TARGETS,
        run=_run,
        rounds=(5, 15),
        about_s=(25, 70),
        plot="cpu_ms",
    ),
)
