"""Programs under measurement: started on one core, watched from outside, surely ended."""

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

START_S = 30.0
END_S = 8.0
_POLL_S = 0.005
_PR_SET_PDEATHSIG = 1
_CPUCLOCK_SCHED = 2
PROC = Path("/proc")


class NotStarted(Exception):  # noqa: N818  (what happened, not a fault of ours)
    """A program ended, or said nothing in time; with its last words."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core serves, and which one asks; the same where there is but one."""

    server: int
    load: int

    @classmethod
    def found(cls) -> "Cores":
        usable = sorted(os.sched_getaffinity(0))
        return cls(usable[0], usable[-1])

    @property
    def are_separate(self) -> bool:
        return self.server != self.load


@dataclass(frozen=True, slots=True)
class Program:
    """One that runs."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def cpu_s(self) -> float:
        """CPU time so far, user and system, of the process and of all below it that live."""
        return sum(_cpu_s(one) for one in family(self.pid))

    def rss_mib(self) -> float:
        """Resident memory of the process and of all below it; what they share counts each time."""
        return sum(_memory_kib(one, "Rss") for one in family(self.pid)) / 1024

    def pss_mib(self) -> float:
        """The same, with what is shared with others counted in proportion."""
        return sum(_memory_kib(one, "Pss") for one in family(self.pid)) / 1024

    async def until(self, ready: Callable[[str], bool], *, within_s: float = START_S) -> str:
        """What it has said so far, once that is what is waited for. Raises `NotStarted`."""
        try:
            async with asyncio.timeout(within_s):
                while not ready(said := self.said()):
                    if self.process.returncode is not None:
                        raise NotStarted(f"{self.name} ended: {said[-2_000:]}")
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise NotStarted(f"{self.name} is not ready: {self.said()[-2_000:]}") from None
        return said

    async def until_open(self, port: int) -> None:
        """Somebody accepts connections at the port."""

        async def opened() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.close()
            return True

        async with asyncio.timeout(START_S):
            while not await opened():
                if self.process.returncode is not None:
                    raise NotStarted(f"{self.name} ended: {self.said()[-2_000:]}")
                await asyncio.sleep(_POLL_S)

    def said(self) -> str:
        """Standard output and standard error."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    async def end(self) -> None:
        """SIGTERM, and SIGKILL for who does not hear it; the whole group of processes."""
        _signal(self.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                await self.process.wait()
        _signal(self.pid, signal.SIGKILL)
        await self.process.wait()


@asynccontextmanager
async def running(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    core: int | None = None,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Program]:
    """A program on one core (any when `None`), as a group of its own; it is gone afterwards."""
    program = await start(name, command, log=log, core=core, env=env)
    try:
        yield program
    finally:
        await asyncio.shield(program.end())


async def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    core: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Program:
    """As `running`; who calls it ends it."""

    def settle() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if core is not None:
            os.sched_setaffinity(0, {core})

    with log.open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            preexec_fn=settle,
            env=env,
        )
    return Program(name, process, log)


def family(pid: int) -> list[int]:
    """The process and all below it, as far as they live."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        with suppress(OSError):
            for task in (PROC / str(one) / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
    return found


def _cpu_s(pid: int) -> float:
    """To the nanosecond: the process's own clock, which `/proc/PID/stat` shows in ticks of 10 ms.

    As clock_getcpuclockid(3) makes its number.
    """
    try:
        return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)
    except OSError:  # it ended
        return 0.0


def _memory_kib(pid: int, name: str) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:  # it ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)
