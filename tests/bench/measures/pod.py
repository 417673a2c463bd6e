"""What an answer about 200 customers costs the pod: through its client, or by itself with httpx.

Both keep their connections, have 64 exchanges in flight, and end with the same total. The direct
calls do less: they neither price, nor check whose rows came, nor keep anything.
"""

import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial

from tests.bench.asking_pod import Task
from tests.bench.figures import Findings, Row, Target
from tests.bench.lab import Lab, laboratory
from tests.bench.measures import Measure
from tests.bench.mounted import CUSTOMERS, TENANT, Setting
from tests.bench.stage import Stage
from tests.bench.talking import Talker, talking

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
        pods = {name: partial(_ask, one) for name, one in (await _pods(lab, up)).items()}
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


async def _ask(pod: Talker) -> Mapping[str, float]:
    told: Mapping[str, float] = json.loads(await pod.ask(str(EACH_ROUND)))
    return told


async def _pods(lab: Lab, up: AsyncExitStack) -> Mapping[str, Talker]:
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
    return {name: await _pod(lab, task, up) for name, task in tasks.items()}


async def _pod(lab: Lab, task: Task, up: AsyncExitStack) -> Talker:
    core = lab.stage.cores.load
    pod = await up.enter_async_context(talking("tests.bench.asking_pod", core))
    await pod.ask(task.as_json())
    return pod


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
