"""The sidecar's process: started, stopped, started again, and looked at from outside."""

import asyncio
import contextlib
import ctypes
import json
import resource
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers.sidecar import START_TIMEOUT_S, listeners

_PR_SET_PDEATHSIG = 1
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Census:
    """What a process holds."""

    tasks: Mapping[str, int]
    """How many there are of each kind."""
    files: int
    """Open file descriptors; sockets are among them."""
    sockets: int
    resident_bytes: int


class SidecarProcess:
    """`python -m tests.chaos.launch FOLDER serve FOLDER/sidecar.yaml`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.urls: Mapping[str, str] = {}
        """Of the three listeners."""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        out, err = self._folder / "stdout", self._folder / "stderr"
        command = [sys.executable, "-P", "-m", "tests.chaos.launch", str(self._folder)]
        command += ["serve", str(self._folder / "sidecar.yaml")]
        with out.open("wb") as stdout, err.open("ab") as stderr:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,  # Ctrl-C is for whoever started us, who then stops it
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        async with asyncio.timeout(START_TIMEOUT_S):
            self.urls = await listeners(out, self._process)

    async def stop(self, within_s: float = 10.0) -> int:
        """SIGTERM; the exit status. What does not end in time is killed."""
        if self._process is None:
            return 0
        self.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                return await self._process.wait()
        self._process.kill()
        return await self._process.wait()

    def terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._process is not None:
                self._process.terminate()

    def cpu_s(self) -> float:
        """Seconds of processor that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def kept_waiting_s(self) -> float:
        """Seconds so far in which its event loop was ready to run and had no processor.

        Others were using them. Zero where the kernel does not tell (`CONFIG_SCHED_INFO`).
        """
        with contextlib.suppress(OSError):
            told = Path(f"/proc/{self.pid}/task/{self.pid}/schedstat").read_text().split()
            return int(told[1]) / 1e9
        return 0.0

    def resident_bytes(self) -> int:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    async def census(self) -> Census:
        tasks_file = self._folder / "tasks.json"
        tasks_file.unlink(missing_ok=True)
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)
        while not tasks_file.exists():  # noqa: ASYNC110  (a file tells)
            await asyncio.sleep(_POLL_S)
        return self._counted(json.loads(tasks_file.read_text()))

    def _counted(self, tasks: Mapping[str, int]) -> Census:
        links = []
        for one in Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                links.append(str(one.readlink()))
        return Census(
            tasks=tasks,
            files=len(links),
            sockets=sum(link.startswith("socket:") for link in links),
            resident_bytes=self.resident_bytes(),
        )


def _end_with_parent() -> None:
    """Even a suite that is killed leaves no sidecar behind (Linux, prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
