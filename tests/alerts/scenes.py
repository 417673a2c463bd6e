"""Sidecars before Prometheus, each with faults of its own, and one that is well.

The scene is the namespace in which Prometheus sees them, so what an alert is about can be told.
"""

import asyncio
import csv
import itertools
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import yaml

from adapters.simulator import faults
from adapters.simulator.certificates import Authority, Validity
from adapters.simulator.population import Shape, customer_id, identity_rows
from proxy.cache.keys import new_key
from tests.alerts.kubernetes import Kubernetes
from tests.alerts.process import Process
from tests.alerts.prometheus import Prometheus
from tests.servers.sidecar import Pod, Stage, staged
from tests.servers.vendors import NOW, Setup

CLUSTER = "cluster"
WELL, VENDORS, SLOW, WORN, EMPTY, RESTLESS = "well", "vendors", "slow", "worn", "empty", "restless"
FAULTS: Mapping[str, str] = {
    "BssSidecarMissing": CLUSTER,
    "BssSidecarUnwatched": CLUSTER,
    "BssSidecarDown": RESTLESS,
    "BssSidecarRestarting": RESTLESS,
    "BssSidecarConfigurationBad": EMPTY,
    "BssSidecarConfigurationOutdated": SLOW,
    "BssSidecarReloadFailing": VENDORS,
    "BssSidecarCertificateEndsSoon": VENDORS,
    "BssSidecarCertificateEnding": VENDORS,
    "BssSidecarBreakerOpen": VENDORS,
    "BssSidecarBreakerForced": VENDORS,
    "BssSidecarTokenFailing": VENDORS,
    "BssSidecarClockSkew": WORN,
    "BssSidecarOverloaded": VENDORS,
    "BssSidecarDegraded": VENDORS,
    "BssSidecarMostlyDegraded": VENDORS,
    "BssSidecarSlaBurnFast": SLOW,
    "BssSidecarSlaBurnSlow": SLOW,
    "BssSidecarCacheBypassed": WORN,
    "BssSidecarLoopLag": WORN,
    "BssSidecarLogLinesDropped": WORN,
    "BssSidecarUnforeseenErrors": WORN,
}
"""In which scene each alert must fire."""
NOBODY = "127.0.0.1:1"
"""An address where nobody listens."""
AHEAD_S = 120
RESTARTS_S = 90.0
"""For three of them; on a machine with room they take five."""
BEHIND = "csg"
"""The vendor that takes its time."""
_TENANTS: Mapping[str, str] = {"cut": "amdocs", "tokenless": "amdocs", "crowded": BEHIND}


@dataclass(slots=True)
class Scenes:
    """Everything that runs."""

    stage: Stage
    prometheus: Prometheus
    session: aiohttp.ClientSession
    kubernetes: Kubernetes
    processes: dict[str, Process] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def scrape(self) -> None:
        """Whoever has been started, and what is told of the cluster."""
        listed = {
            name: urlsplit(one.urls["ops"]).netloc
            for name, one in self.processes.items()
            if one.urls
        }
        self.prometheus.scrape({**listed, CLUSTER: self.kubernetes.address})

    def pod(self, scene: str, listener: str = "data") -> Pod:
        return Pod(self.session, self.processes[scene].urls[listener])

    async def ask(self, scene: str, tenant: str, shape: str) -> None:
        """The two kinds of question, each about somebody else than the last."""
        numbers = [next(self._numbers) % 900 for _ in range(3)]
        ids = [customer_id(f"{shape}_demo", number) for number in numbers]
        with suppress(aiohttp.ClientError, TimeoutError):
            async with asyncio.timeout(5):
                await self.pod(scene).account(tenant, ids[0])
                await self.pod(scene).revenue(tenant, ids[1:])

    async def keep_asking(self, scene: str, tenant: str, shape: str, *, pause_s: float) -> None:
        """For ever."""
        while True:
            await self.ask(scene, tenant, shape)
            await asyncio.sleep(pause_s)


@asynccontextmanager
async def scenes(folder: Path, prometheus: Prometheus) -> AsyncIterator[Scenes]:
    """All of them up, well or as they were made; `provoke` does the rest."""
    setups: Mapping[Shape, Setup] = {one: Setup(shape=one) for one in ("amdocs", BEHIND)}
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(folder, setups=setups))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        kubernetes = await stack.enter_async_context(Kubernetes())
        made = Scenes(stage, prometheus, session, kubernetes)
        await asyncio.to_thread(_write_files, folder)
        base = yaml.safe_load(stage.configuration.read_text())
        made.processes = _processes(folder, base)
        for process in made.processes.values():
            stack.push_async_callback(process.stop)
        await asyncio.gather(*(process.start() for process in made.processes.values()))
        made.scrape()
        yield made


def _processes(folder: Path, base: Mapping[str, Any]) -> dict[str, Process]:
    mock = {
        **base,
        "connections": {"mock": {"vendor": "mock"}},
        "tenants": {"mock_demo": {"connection": "mock"}},
    }
    launch = ("tests.alerts.launch", str(folder), "serve")
    return {
        WELL: Process(folder / WELL, {**base, "cache": {}, "metrics": {"by_tenant": True}}),
        VENDORS: Process(folder / VENDORS, _with_bad_connections(folder, base)),
        SLOW: Process(folder / SLOW, {**base, "deadlines": {"single": "3s", "batch": "5s"}}),
        WORN: Process(folder / WORN, {**base, "cache": _redis(folder)}, module=launch),
        EMPTY: Process(
            folder / EMPTY,
            {"schema_version": 7, "listeners": base["listeners"]},
            module=("proxy", "serve", "--fail-open"),
        ),
        RESTLESS: Process(folder / RESTLESS, {**mock, "listeners": _fixed_ports()}),
    }


def _with_bad_connections(folder: Path, base: Mapping[str, Any]) -> dict[str, Any]:
    """One for each way in which a connection fails; those to nobody keep no identity map."""
    good, behind = base["connections"]["amdocs"], base["connections"][BEHIND]
    ids = {
        shape: {"kind": "file", "file": str(folder / f"{shape}.csv")}
        for shape in ("amdocs", BEHIND)
    }
    breaker = {"open_time": "1s", "longest_open_time": "2s", "minimum_calls": 3}
    good = {**good, "identity": ids["amdocs"], "guard": {"breaker": breaker}}

    def certified(name: str) -> dict[str, Any]:
        files = {"certificate_file": f"{folder / name}.pem", "key_file": f"{folder / name}.key"}
        return {**good, "tls": {**good["tls"], **files}}

    connections = {
        "cut": {**good, "base_url": f"https://{NOBODY}/"},
        "tokenless": {**good, "oauth2": {**good["oauth2"], "token_url": f"https://{NOBODY}/"}},
        "crowded": {
            **behind,
            "identity": ids[BEHIND],
            "wire": {"concurrency": 1, "queue_length": 0},
            "guard": {"adaptive_concurrency": {"floor": 1}, "breaker": {"slow_call": "5s"}},
        },
        "forced": good,
        "soon": certified("soon"),
        "ending": certified("ending"),
        "spoilt": certified("spoilt"),
    }
    tenants = {f"{name}_demo": {"connection": name} for name in _TENANTS}
    return {**base, "connections": connections, "tenants": tenants}


def _redis(folder: Path) -> dict[str, Any]:
    """One that is not there."""
    for name in ("master", "names"):
        (folder / f"{name}.keys").write_text(new_key() + "\n")
    return {
        "store": "redis",
        "master_keys_file": str(folder / "master.keys"),
        "name_keys_file": str(folder / "names.keys"),
        "redis": {"url": f"redis://{NOBODY}/0"},
    }


def _fixed_ports() -> dict[str, Any]:
    """Where it is found again after a restart."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {"data": {"port": 0}, "ops": {"port": port}, "admin": {"port": 0}}


def _write_files(folder: Path) -> None:
    (folder / "clock").write_text(str(AHEAD_S))
    authority = Authority.create("Alerts CA", now=NOW)
    day = timedelta(days=1)
    for name, left in {"soon": 10, "ending": 1, "spoilt": 300}.items():
        validity = Validity(not_before=NOW - 60 * day, not_after=NOW + left * day)
        authority.issue_client(name, validity=validity).write(folder, name)
    for shape in ("amdocs", BEHIND):
        with (folder / f"{shape}.csv").open("w") as file:
            rows = csv.writer(file)
            rows.writerow(["customer_id", "vendor_id"])
            rows.writerows(identity_rows(f"{shape}_demo", shape))  # type: ignore[arg-type]  # a shape


async def provoke(made: Scenes, tasks: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
    """Everything that goes wrong while they run; whoever asks does so until it is cancelled."""
    async with asyncio.timeout(RESTARTS_S):
        await _restart(made)  # first: a start takes long beside all that follows
    await made.stage.vendors[BEHIND].faults.set(faults.Latency(delay_s=0.8))
    folder = made.stage.folder
    (folder / "spoilt.pem").write_text("no certificate")
    force = "/v1/connections/forced/breaker"
    await made.pod(VENDORS, "admin").ask("POST", force, json={"force": "open"})
    made.processes[SLOW].file.write_text("schema_version: 7\n")
    made.processes[WORN].stop_listening()
    asking = [
        made.keep_asking(WORN, "amdocs_demo", "amdocs", pause_s=0.1),
        made.keep_asking(WORN, "mock_demo", "mock", pause_s=0.1),
        made.keep_asking(VENDORS, "cut_demo", "amdocs", pause_s=0.2),
        made.keep_asking(VENDORS, "tokenless_demo", "amdocs", pause_s=0.2),
        *(made.keep_asking(SLOW, f"{BEHIND}_demo", BEHIND, pause_s=0.2) for _ in range(2)),
        *(made.keep_asking(VENDORS, "crowded_demo", BEHIND, pause_s=0.2) for _ in range(3)),
        _chatter(made.pod(WORN, "admin")),
        _stutter(made.processes[WORN]),
    ]
    return [tasks.create_task(one) for one in asking]


async def _chatter(pod: Pod) -> None:
    """Each refusal is a line of the log: more of them than wait for whoever reads it."""
    while True:
        with suppress(aiohttp.ClientError, TimeoutError):
            await pod.ask("GET", "/nothing")


async def _stutter(process: Process) -> None:
    """Frozen for a third of the time."""
    while True:
        process.freeze(frozen=True)
        try:
            await asyncio.sleep(0.25)
        finally:
            process.freeze(frozen=False)
        await asyncio.sleep(0.5)


async def _restart(made: Scenes) -> None:
    """Three times, each seen by Prometheus; and then it is gone for good."""
    process = made.processes[RESTLESS]
    while not await _started(made):  # noqa: ASYNC110  (Prometheus tells)
        await asyncio.sleep(0.2)
    for _ in range(3):
        before = await _started(made)
        await process.stop()
        await process.start()
        while await _started(made) in (before, 0.0):  # noqa: ASYNC110  (Prometheus tells)
            await asyncio.sleep(0.2)
    while not await made.prometheus.query(  # noqa: ASYNC110  (Prometheus tells)
        f'ALERTS{{alertname="BssSidecarRestarting",namespace="{RESTLESS}"}}'
    ):
        await asyncio.sleep(0.2)
    await process.stop()


async def _started(made: Scenes) -> float:
    """When Prometheus thinks that it started; 0: it is not there now."""
    found = await made.prometheus.query(f'process_start_time_seconds{{namespace="{RESTLESS}"}}')
    return float(found[0]["value"][1]) if found else 0.0
