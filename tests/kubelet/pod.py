"""One pod on one node: its volumes, its sidecar's container as a process, its probes."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp

from tests.kubelet.rendering import Rendered
from tests.kubelet.ways import Mount, Way
from tests.servers.mount import KubernetesMount
from tests.servers.redis import free_ports
from tests.servers.sidecar import Reply

PATIENCE_S = 30
"""A machine that is busy with other tests is slow; a sidecar that hangs is slower."""
_VARIABLE = re.compile(r"\$\(([A-Z_]+)\)")
_PORT = re.compile(r"^listeners\.(data|ops|admin)\.port=\d+$")


@dataclass(slots=True)
class Pod:
    """The namespace's objects may come, change and go at any time, as the volumes then do."""

    folder: Path
    """In memory, as the kubelet has Secrets."""
    rendered: Rendered
    ip: str
    way: Way
    ports: Mapping[str, int] = field(
        default_factory=lambda: dict(zip(("data", "ops", "admin"), free_ports(3), strict=True))
    )
    """In place of the chart's: several pods share this machine's addresses."""
    process: asyncio.subprocess.Process | None = None
    _mounts: dict[str, KubernetesMount] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, volume in self.rendered.volumes.items():
            path = self.folder / name
            if "emptyDir" in volume:
                path.mkdir()
                path.chmod(0o777)
            else:
                _key, source = self._object(volume)
                assert source["optional"] is True
                self._mounts[name] = KubernetesMount(path)
                self._mounts[name].update({})

    def put(self, kind: str, name: str, files: Mapping[str, bytes]) -> None:
        """An object is there from now on, or is another one."""
        mounts = self.mounts()
        told = {file: self.way.content(raw, mounts) for file, raw in files.items()}
        asked = [
            volume
            for volume, source in self.rendered.volumes.items()
            if "emptyDir" not in source and self._object(source)[0] == (kind, name)
        ]
        assert asked, f"no volume is of {kind} {name}"
        for volume in asked:
            self._mounts[volume].update(told)

    def mounts(self) -> list[Mount]:
        return [
            Mount(self.folder / one["name"], one["mountPath"], one.get("readOnly", False))
            for one in self.rendered.container["volumeMounts"]
        ]

    async def start(self) -> None:
        """As after a restart of the container, where it ran before."""
        command = self.way.start(self._command(), self._env(), self.mounts())
        log = self.log.open("ab")
        with log:
            self.process = await asyncio.create_subprocess_exec(
                *command, stdout=log, stderr=log, cwd="/", start_new_session=True
            )

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def lines(self) -> list[dict[str, Any]]:
        """What it has said so far."""
        text = self.log.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    async def said(self, event: str, **fields: object) -> None:
        """Returns once the log says so."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(
                line["event"] == event and fields.items() <= line.items() for line in self.lines()
            ):
                self._alive()
                await asyncio.sleep(0.02)

    async def started(self) -> None:
        """The startup probe was answered, within the patience that the chart gives it."""
        probe = self.rendered.container["startupProbe"]
        patience = min(PATIENCE_S, probe["periodSeconds"] * probe["failureThreshold"])
        async with asyncio.timeout(patience):
            while await self.probe("startupProbe") != 200:
                self._alive()
                await asyncio.sleep(0.02)

    async def probe(self, which: str) -> int:
        """The status that the kubelet gets; 0 for none."""
        asked = self.rendered.container[which]
        names = {one["name"]: one["containerPort"] for one in self.rendered.container["ports"]}
        assert asked["httpGet"]["port"] in names
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        url = f"http://{host}:{self.ports['ops']}{asked['httpGet']['path']}"
        timeout = aiohttp.ClientTimeout(total=asked["timeoutSeconds"])
        with suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url, headers={"User-Agent": "kube-probe/1.36"}) as answer,
            ):
                return answer.status
        return 0

    async def metrics(self) -> str:
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{host}:{self.ports['ops']}/metrics") as answer,
        ):
            return await answer.text()

    async def revenue(self, tenant: str, ids: Sequence[UUID]) -> Reply:
        """Asked as the chart tells the container beside it."""
        told = {one["name"]: one["value"] for one in self.rendered.backend["env"]}
        headers = {"X-Tenant-ID": tenant}
        if (file := told.get("BSS_SIDECAR_TOKEN_FILE")) is not None:
            path = self.shared(file)
            assert path.stat().st_mode & 0o004, "another user could not read the token"
            headers["Authorization"] = f"Bearer {path.read_text().strip()}"
        url, connector = f"http://127.0.0.1:{self.ports['data']}", None
        if told["BSS_SIDECAR_URL"].startswith("unix:"):
            path = self.shared(told["BSS_SIDECAR_URL"].removeprefix("unix:"))
            assert path.stat().st_mode & 0o006 == 0o006, "another user could not connect"
            url, connector = "http://localhost", aiohttp.UnixConnector(str(path))
        body = {"customer_ids": [str(one) for one in ids]}
        began = asyncio.get_running_loop().time()
        async with (
            aiohttp.ClientSession(headers=headers, connector=connector) as session,
            session.post(f"{url}/v1/revenue-at-risk", json=body) as answer,
        ):
            raw = await answer.read()
            names = {name.lower(): value for name, value in answer.headers.items()}
            took_s = asyncio.get_running_loop().time() - began
            return Reply(answer.status, names, raw, took_s)

    def shared(self, path: str) -> Path:
        """What the container beside it has at a path, through the same volume."""
        (mount,) = self.rendered.backend["volumeMounts"]
        assert mount["readOnly"] is True
        return self.folder / mount["name"] / Path(path).relative_to(mount["mountPath"])

    def status(self) -> Mapping[str, str]:
        """Of the process, as the kernel has it."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        pairs = (line.partition(":") for line in text.splitlines())
        return {key: value.strip() for key, _, value in pairs}

    def writable_mounts(self) -> set[str]:
        """Of the container, without the kernel's own."""
        assert self.process is not None
        mounts = Path(f"/proc/{self.process.pid}/mounts").read_text().splitlines()
        fields = [line.split() for line in mounts]
        writable = {one[1] for one in fields if "rw" in one[3].split(",")}
        return {path for path in writable if not path.startswith(("/dev", "/proc"))}

    async def terminate(self) -> tuple[int, float]:
        """As at the end of a pod: the exit status, and how many seconds it took."""
        assert self.process is not None
        began = asyncio.get_running_loop().time()
        self.process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            code = await self.process.wait()
        return code, asyncio.get_running_loop().time() - began

    async def kill(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()

    def _alive(self) -> None:
        assert self.process is not None
        assert self.process.returncode is None, self.log.read_text()

    def _command(self) -> list[str]:
        container, env = self.rendered.container, self._env()
        words = [
            _VARIABLE.sub(lambda found: env[found[1]], word)
            for word in (*container["command"], *container["args"])
        ]
        assert words[0] == "python"
        return [sys.executable, *(_PORT.sub(self._moved, word) for word in words[1:])]

    def _moved(self, found: re.Match[str]) -> str:
        return f"listeners.{found[1]}.port={self.ports[found[1]]}"

    def _env(self) -> dict[str, str]:
        """The container's own, and what the image sets."""
        made = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        for one in self.rendered.container["env"]:
            source = one.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath")
            assert source in (None, "status.podIP")
            made[one["name"]] = self.ip if source else one["value"]
        return made

    def _object(self, volume: Mapping[str, Any]) -> tuple[tuple[str, str], Mapping[str, Any]]:
        if "secret" in volume:
            return ("Secret", volume["secret"]["secretName"]), volume["secret"]
        return ("ConfigMap", volume["configMap"]["name"]), volume["configMap"]


@asynccontextmanager
async def running(pod: Pod) -> AsyncIterator[Pod]:
    """Started; ended at the end, whatever happens."""
    pod.folder.chmod(0o755)  # any user gets to its mounts
    await pod.start()
    try:
        await pod.started()
        for listener in ("data", "admin"):  # moments after the one that is probed
            await pod.said("listening", listener=listener)
        yield pod
    finally:
        await pod.kill()
