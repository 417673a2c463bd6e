"""A pretend pod that asks a little, all the time, so that the status page has something to show."""

import asyncio
import random

import aiohttp

from adapters.simulator.population import customer_id
from proxy.demo.questions import Pod
from proxy.demo.stage import TENANTS, Stage

EVERY_S = 0.2
"""Between two questions of one tenant."""
CUSTOMERS = 900
BATCH_EACH = 6
"""One in so many questions is about a batch."""
BATCH = 8


async def murmur(stage: Stage) -> None:
    """Until it is cancelled, for every tenant. A sidecar that does not answer is asked again."""
    async with asyncio.TaskGroup() as tasks:
        for tenant in TENANTS:
            tasks.create_task(_of(tenant, Pod(stage.session, stage.data_url)))


async def _of(tenant: str, pod: Pod) -> None:
    dice = random.Random(tenant)  # noqa: S311  (whom a pretend pod asks about is no secret)
    while True:
        some = [customer_id(tenant, dice.randrange(CUSTOMERS)) for _ in range(BATCH)]
        try:
            if dice.randrange(BATCH_EACH):
                await pod.account(tenant, some[0])
            else:
                await pod.revenue(tenant, some)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            pass  # the page shows what became of it
        pod.singles.clear()
        pod.batches.clear()
        await asyncio.sleep(EVERY_S * (0.5 + dice.random()))
