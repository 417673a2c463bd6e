"""A real Prometheus on loopback, which scrapes every second and evaluates the rules as often."""

import asyncio
import ctypes
import json
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.alerts.rules import hurried
from tests.servers.ending import end

START_S = 30.0
_POLL_S = 0.1
_PR_SET_PDEATHSIG = 1


def is_installed() -> bool:
    return shutil.which("prometheus") is not None


@dataclass(frozen=True, slots=True)
class Prometheus:
    url: str
    targets: Path
    """Where it reads whom to scrape; it looks again when that changes."""
    session: aiohttp.ClientSession

    def scrape(self, targets: Mapping[str, str]) -> None:
        """From now on these, each an address under the name of its scene."""
        listed = [
            {"targets": [address], "labels": {"namespace": scene}}
            for scene, address in targets.items()
        ]
        draft = self.targets.with_suffix(".draft")
        draft.write_text(json.dumps(listed))
        draft.replace(self.targets)

    async def alerts(self) -> list[dict[str, Any]]:
        """Those that are pending or firing now."""
        return list((await self._get("/api/v1/alerts"))["alerts"])

    async def rules(self) -> list[dict[str, Any]]:
        found = await self._get("/api/v1/rules")
        return [rule for group in found["groups"] for rule in group["rules"]]

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """An instant vector, or a scalar made one."""
        return list((await self._get("/api/v1/query", query=expression))["result"])

    async def figures(self, expression: str, *, until: float, back_s: float) -> list[float]:
        """All that a panel would draw of it, a point a second. `until`: seconds of the epoch."""
        found = await self._get(
            "/api/v1/query_range",
            query=expression,
            start=f"{until - back_s:.3f}",
            end=f"{until:.3f}",
            step="1",
        )
        return [float(value) for one in found["result"] for _, value in one["values"]]

    async def _get(self, path: str, **parameters: str) -> Any:
        async with self.session.get(self.url + path, params=parameters) as answer:
            said = await answer.json()
        assert said["status"] == "success", (parameters, said.get("error"))
        return said["data"]


@asynccontextmanager
async def prometheus(folder: Path, *, window_s: int) -> AsyncIterator[Prometheus]:
    """With the alert rules in a hurry: nothing in them looks back further than `window_s`."""
    targets, port = folder / "targets.json", _free_port()
    (folder / "rules.yaml").write_text(yaml.safe_dump(hurried(window_s)))
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(_configuration(targets)))
    async with aiohttp.ClientSession() as session:
        running = Prometheus(f"http://127.0.0.1:{port}", targets, session)
        running.scrape({})
        with (folder / "prometheus.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                "prometheus",
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        try:
            await _ready(running, process, folder / "prometheus.log")
            yield running
        finally:
            await end(process)


def _configuration(targets: Path) -> dict[str, Any]:
    return {
        "global": {
            "scrape_interval": "1s",
            "scrape_timeout": "1s",
            "evaluation_interval": "1s",
        },
        "rule_files": [str(targets.parent / "rules.yaml")],
        "scrape_configs": [
            {
                "job_name": "pods",
                "file_sd_configs": [{"files": [str(targets)], "refresh_interval": "1s"}],
                "honor_labels": True,
            }
        ],
    }


async def _ready(running: Prometheus, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(START_S):
        while process.returncode is None:
            with suppress(aiohttp.ClientError):
                async with running.session.get(running.url + "/-/ready") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(_POLL_S)
    raise AssertionError(log.read_text())  # noqa: ASYNC240  (it has ended)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_with_parent() -> None:
    """Even a suite that is killed leaves no Prometheus behind (Linux, prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
