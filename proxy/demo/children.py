"""Child processes of the demo: started together, watched, and all ended together."""

import asyncio
import contextlib
import ctypes
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ENDING_S = 5.0
"""How long a child may take to end by itself."""


_PR_SET_PDEATHSIG = 1


class ChildDied(Exception):  # noqa: N818  (what happened, not a fault of ours)
    """A child ended when it should be running."""

    def __init__(self, name: str, status: int | None, log: Path) -> None:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])
        super().__init__(f"{name} ended with status {status}. Its last words, from {log}:\n{tail}")


@dataclass(frozen=True, slots=True)
class Child:
    name: str
    process: asyncio.subprocess.Process
    log: Path

    def check(self) -> None:
        if self.process.returncode is not None:
            raise ChildDied(self.name, self.process.returncode, self.log)


class Children:
    """Starts `python -P -m MODULE …` children; leaving the context ends every one."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self.running: list[Child] = []

    async def start(self, name: str, module: str, arguments: Sequence[str]) -> Child:
        log = self._logs / f"{name}.log"
        with log.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", module, *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,  # a Ctrl-C reaches the demo alone, and it ends its children
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        child = Child(name, process, log)
        self.running.append(child)
        return child

    def check(self) -> None:
        """Raises `ChildDied` for the first child that is no longer running."""
        for child in self.running:
            child.check()

    async def end(self) -> None:
        """Ask every child to end, wait a little, and kill those that did not."""
        for child in self.running:
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
        waiting = [asyncio.wait_for(child.process.wait(), ENDING_S) for child in self.running]
        await asyncio.gather(*waiting, return_exceptions=True)
        for child in self.running:
            if child.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.process.kill()
                await child.process.wait()


def _end_with_parent() -> None:
    """Even a demo that is killed leaves nothing behind on its ports (Linux, prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.asynccontextmanager
async def children(logs: Path) -> AsyncIterator[Children]:
    family = Children(logs)
    try:
        yield family
    finally:
        await asyncio.shield(family.end())
