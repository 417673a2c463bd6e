"""Where a measure finds what it measures: servers on one core, who asks on the other.

All that is started here is ended with the stage.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from tests.bench.figures import Sample
from tests.bench.load import Load, Seen, WrongAnswers, asking
from tests.bench.mounted import TENANT, Mounted, Setting
from tests.bench.processes import Cores, Program, running
from tests.bench.progress import Progress
from tests.servers.redis import RedisServer, free_ports, running_redis

Burst: TypeAlias = Callable[[], Awaitable[Mapping[str, float]]]
"""One round of one contender: figures by name."""

PATIENT = {
    "cache": {"read_budget": "100ms"},
    "deadlines": {"single": "5s", "batch": "10s"},
}
"""On a machine that others keep busy, what is measured as a hit is one, and an answer is whole."""
TRIES = 4
HIT = b"Cache-Status: bss-sidecar; hit"
"""What `Load.counts` looks for in the sidecar's answers."""
PYTHON = (sys.executable, "-P", "-m")
_SERVING = Path(sys.prefix) / "serving/bin/python"
SERVING = (str(_SERVING if _SERVING.exists() else sys.executable), "-P", "-m")
"""The sidecar runs where nothing is installed but what it needs, as its users have it."""


@dataclass(frozen=True, slots=True)
class SidecarUnderMeasure:
    """As users run it: a token, metrics, a log in a file, mutual TLS to the vendor."""

    program: Program
    data_port: int
    ops_port: int
    admin_port: int
    token: str = field(repr=False)

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Of a question."""
        return self.headers_of(TENANT)

    def headers_of(self, tenant: str) -> list[tuple[str, str]]:
        return [("Authorization", f"Bearer {self.token}"), ("X-Tenant-ID", tenant)]


@dataclass(slots=True)
class Stage:
    """`stack` ends what was started."""

    folder: Path
    cores: Cores
    full: bool
    progress: Progress
    stack: AsyncExitStack = field(repr=False)
    mounted: Mounted = field(repr=False)

    async def redis(self, name: str = "redis") -> RedisServer:
        """A real one, on the core of who asks."""
        (port,) = free_ports(1)
        server = self.stack.enter_context(running_redis(self.folder / name, port=port))
        await self._pinned(int((server.folder / "pid").read_text()))
        return server

    async def vendor(self, *doors: str, name: str = "vendor") -> list[int]:
        """The ports of `tests.bench.vendor`, one for each door; `doors` as it takes them."""
        command = [*PYTHON, "tests.bench.vendor", "--certificates", str(self.mounted.folder)]
        for door in doors or ("0ms",):
            command += ["--door", door]
        program = await self.program(name, command, core=self.cores.load)
        said = await program.until(lambda text: "\n" in text)
        ports: list[int] = json.loads(said.splitlines()[0])["ports"]
        return ports

    async def sidecar(
        self, name: str, setting: Setting, *, more: Mapping[str, Mapping[str, Any]] | None = None
    ) -> SidecarUnderMeasure:
        """It is ready, on the server's core; `more`: settings over those, by their group."""
        token_file = self.mounted.folder / f"{name}-token"
        file = self.mounted.configure(name, setting)
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
        settings["auth"] = {"token_file": str(token_file)}
        for group, told in (more or {}).items():
            settings[group] = settings.get(group, {}) | told
        file.write_text(yaml.safe_dump(settings), encoding="utf-8")
        program = await self.program(name, [*SERVING, "proxy", "serve", str(file)])
        ports = _listening(await program.until(lambda text: len(_listening(text)) == 3))
        await self._ready(program, ports["ops"])
        token = token_file.read_text(encoding="utf-8").strip()
        return SidecarUnderMeasure(program, ports["data"], ports["ops"], ports["admin"], token)

    async def program(
        self, name: str, command: Sequence[str | Path], *, core: int | None = None
    ) -> Program:
        """Any; on the server's core unless another is said."""
        log = self.folder / f"{name}.log"
        context = running(name, command, log=log, core=self.cores.server if core is None else core)
        return await self.stack.enter_async_context(context)

    async def ask(self, load: Load, *, strict: bool = True) -> Seen:
        """A load on its own core, from beginning to end."""
        who = await asking(load, core=self.cores.load)
        try:
            return await who.go(strict=strict)
        finally:
            await who.end()

    def burst(self, program: Program, load: Load, *, strict: bool = True, per: int = 1) -> Burst:
        """CPU per request of the program and its children, and latencies, of one load.

        The connections and the first answers are not in it. `per`: what a request counts as.
        """

        async def once() -> Mapping[str, float]:
            who = await asking(load, core=self.cores.load)
            try:
                before_s = program.cpu_s()
                seen = await who.go(strict=strict)
                spent_s = program.cpu_s() - before_s
            finally:
                await who.end()
            figures = figures_of(seen, spent_s, per=per)
            if load.counts:
                figures["hits_pct"] = 100 * seen.counted / seen.count
            return figures

        return once

    async def in_turn(
        self, rounds: int, contenders: Mapping[str, Burst]
    ) -> dict[str, dict[str, Sample]]:
        """A B A B …: each round, all of them. By contender and figure."""
        seen: dict[str, list[Mapping[str, float]]] = {name: [] for name in contenders}
        for number in range(rounds):
            for name, burst in contenders.items():
                self.progress.step(f"round {number + 1} of {rounds}: {name}")
                seen[name].append(await self._valid(name, burst))
            self.progress.advance((number + 1) / rounds)
        return {
            name: {figure: Sample(tuple(one[figure] for one in bursts)) for figure in bursts[0]}
            for name, bursts in seen.items()
        }

    async def _valid(self, name: str, burst: Burst) -> Mapping[str, float]:
        """A burst with a wrong answer is void, and made anew: the machine may stand still.

        Raises `WrongAnswers` when that does not help.
        """
        for _ in range(TRIES - 1):
            try:
                return await burst()
            except WrongAnswers as void:
                self.progress.say(f"  void: {name}: {void}")
        return await burst()

    async def _pinned(self, pid: int) -> None:
        """With `taskset`, which pins threads as well; without it, it runs where it likes."""
        command = ["taskset", "-a", "-c", "-p", str(self.cores.load), str(pid)]
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.DEVNULL
            )
        except FileNotFoundError:
            return
        await process.wait()

    async def _ready(self, program: Program, port: int) -> None:
        """Until `/readyz` says 200."""
        async with asyncio.timeout(30):
            while not await _answers_ok(port):
                await program.until(bool)
                await asyncio.sleep(0.01)


def figures_of(seen: Seen, spent_s: float, *, per: int = 1) -> dict[str, float]:
    return {
        "cpu_us": spent_s / seen.count / per * 1e6,
        "p50_ms": seen.all.p50_ms,
        "p99_ms": seen.all.p99_ms,
        "per_s": seen.per_s * per,
    }


@asynccontextmanager
async def staged(folder: Path, *, full: bool, progress: Progress) -> AsyncIterator[Stage]:
    """An empty stage: certificates and keys are there, and nothing runs."""
    now = datetime.now(tz=UTC)  # noqa: TID251  (an edge)
    async with AsyncExitStack() as stack:
        mounted = Mounted.new(folder, now)
        yield Stage(folder, Cores.found(), full, progress, stack, mounted)


async def _answers_ok(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        status = await reader.readline()
        writer.close()
    except OSError:
        return False
    return b" 200 " in status


def _listening(said: str) -> dict[str, int]:
    """The ports of the sidecar's listeners, as far as its log names them."""
    ports: dict[str, int] = {}
    for line in said[: said.rfind("\n") + 1].splitlines():
        told: Any = json.loads(line) if line.startswith("{") else {}
        if told.get("event") == "listening":
            ports[told["listener"]] = int(told["address"].rpartition(":")[2])
    return ports
