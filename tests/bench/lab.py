"""A sidecar with a vendor behind it: asks whose answers are known to the penny."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.bench.load import Ask, Load, Seen, WrongAnswers
from tests.bench.mounted import CUSTOMERS, TENANT, Setting
from tests.bench.processes import NotStarted, Program, running
from tests.bench.stage import SERVING, Stage
from tests.bench.vendor import FIGURES_PATH
from tests.bench.vendor_rows import customer, fee
from tests.servers.redis import RedisServer

BATCH = 200
_LISTENERS = 3
_POLL_S = 0.005


@dataclass(frozen=True, slots=True)
class Sidecar:
    """One that is ready."""

    program: Program
    urls: Mapping[str, str]
    ready_s: float
    """From exec to the first 200 of `/readyz`."""
    ready_cpu_s: float
    """What it had worked by then."""

    def waited_s(self) -> float:
        """How long it could have run and had no core: others are to blame for that."""
        tasks = Path(f"/proc/{self.program.pid}/task").glob("*/schedstat")
        return sum(int(one.read_text(encoding="utf-8").split()[1]) for one in tasks) / 1e9

    @property
    def data_port(self) -> int:
        return int(self.urls["data"].rpartition(":")[2])


@dataclass(frozen=True, slots=True)
class Lab:
    """A vendor and a Redis beside the load; sidecars come and go."""

    stage: Stage
    doors: Mapping[str, int]
    """The vendor's ports, by what its door was asked to be."""
    redis: RedisServer
    session: aiohttp.ClientSession = field(repr=False)
    """Shows the vendor a certificate."""

    @asynccontextmanager
    async def sidecar(
        self, name: str, setting: Setting, *, strict: bool = True
    ) -> AsyncIterator[Sidecar]:
        """Raises `WrongAnswers` in the end when answers were degraded, unless not `strict`."""
        folder, core = self.stage.mounted.folder, self.stage.cores.server
        command = (*SERVING, "proxy", "serve", self.stage.mounted.configure(name, setting))
        clock = asyncio.get_running_loop().time
        began = clock()
        async with running(name, command, log=folder / f"{name}.log", core=core) as program:
            said = await program.until(lambda so_far: len(_listening(so_far)) == _LISTENERS)
            urls = _listening(said)
            await self._until_ready(program, urls["ops"])
            made = Sidecar(program, urls, clock() - began, program.cpu_s())
            yield made
            if strict:
                await self._check(made)

    @property
    def redis_url(self) -> str:
        return self.redis.url

    async def figures(self) -> Mapping[str, int]:
        """What the vendor was asked so far, see `tests.bench.vendor.Figures`."""
        port = next(iter(self.doors.values()))
        async with self.session.get(f"https://localhost:{port}{FIGURES_PATH}") as reply:
            figures: Mapping[str, int] = await reply.json()
        return figures

    async def asked(self, sidecar: Sidecar, asks: Sequence[Ask], **more: Any) -> Seen:
        """Each of these once, on one connection unless `more` says otherwise (see `Load`)."""
        once = {"connections": 1, "requests": len(asks), "warm": 0, "seconds": 60.0}
        return await self.stage.ask(Load(port=sidecar.data_port, asks=asks, **{**once, **more}))

    async def metric(self, sidecar: Sidecar, name: str, **labels: str) -> float:
        """The sum of all samples with these labels."""
        async with self.session.get(sidecar.urls["ops"] + "/metrics") as reply:
            text = await reply.text()
        return sum(
            one.value
            for family in text_string_to_metric_families(text)
            for one in family.samples
            if one.name == name and labels.items() <= one.labels.items()
        )

    async def _check(self, sidecar: Sidecar) -> None:
        """A degraded answer is quick, and says nothing."""
        name = "bss_sidecar_questions_total"
        if degraded := await self.metric(sidecar, name, outcome="degraded"):
            raise WrongAnswers(f"{degraded:.0f} answers were degraded")

    async def _until_ready(self, program: Program, url: str) -> None:
        while program.process.returncode is None:
            async with self.session.get(f"{url}/readyz") as reply:
                if reply.status == 200:
                    return
            await asyncio.sleep(_POLL_S)
        raise NotStarted(program.said()[-2_000:])


async def laboratory(stage: Stage, *doors: str) -> Lab:
    """`doors`: of the vendor, as `tests.bench.vendor` takes them."""
    ports = await stage.vendor(*doors)
    redis = await stage.redis()
    connector = aiohttp.TCPConnector(ssl=stage.mounted.tls())
    session = await stage.stack.enter_async_context(aiohttp.ClientSession(connector=connector))
    return Lab(stage, dict(zip(doors, ports, strict=True)), redis, session)


def _listening(said: str) -> dict[str, str]:
    """Address of each listener that the log names so far."""
    whole = said[: said.rfind("\n") + 1]
    lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return {one["listener"]: one["address"] for one in lines if one["event"] == "listening"}


def batch(numbers: Sequence[int], *, tenant: str = TENANT) -> Ask:
    """The revenue at risk of these customers; its answer holds their exact total."""
    total = json.dumps(float(sum(map(fee, numbers))))
    return Ask.post(
        "/v1/revenue-at-risk",
        {"customer_ids": [str(customer(n)) for n in numbers]},
        headers=[("X-Tenant-ID", tenant)],
        holds=f'"total_revenue_at_risk":{total},'.encode(),
        kind="batch",
    )


def single(n: int, *, tenant: str = TENANT) -> Ask:
    """The billing account of a customer; its answer holds the exact fee."""
    return Ask.get(
        f"/v1/customers/{customer(n)}/billing-account",
        headers=[("X-Tenant-ID", tenant)],
        holds=f'"monthly_fee":{json.dumps(float(fee(n)))},'.encode(),
        kind="single",
    )


class Strangers:
    """Customers whom nobody has asked about yet."""

    def __init__(self, first: int = 0, last: int = CUSTOMERS) -> None:
        self._numbers = iter(range(first, last))

    def batches(self, count: int, size: int = BATCH) -> list[Ask]:
        return [batch(self.take(size)) for _ in range(count)]

    def take(self, count: int) -> list[int]:
        """Raises `StopIteration` when there are not so many."""
        return [next(self._numbers) for _ in range(count)]
