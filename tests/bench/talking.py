"""A process of ours that is told a line, and answers with one."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.load import WrongAnswers

_LONGEST_LINE = 2**26


class Talker:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, line: str) -> str:
        assert self._process.stdin
        self._process.stdin.write(line.encode() + b"\n")
        return await self.heard()

    async def heard(self) -> str:
        """Its next line. Raises `WrongAnswers` when it ended: its standard error says why."""
        assert self._process.stdout
        if line := await self._process.stdout.readline():
            return line.decode().strip()
        raise WrongAnswers("who asks has ended: its standard error says why")


@asynccontextmanager
async def talking(module: str, core: int) -> AsyncIterator[Talker]:
    """`python -m module` on this core; it is gone afterwards."""

    def settle() -> None:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        os.sched_setaffinity(0, {core})

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
        preexec_fn=settle,
    )
    try:
        yield Talker(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
