"""A sidecar as a process that a scene can freeze, stop, start again, or stop listening to."""

import asyncio
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

START_S = 60.0
_POLL_S = 0.05
_PR_SET_PDEATHSIG = 1


class Process:
    """`python -m MODULE …` on a configuration of its own; its log goes into a pipe."""

    def __init__(
        self,
        folder: Path,
        configuration: Mapping[str, Any],
        *,
        module: Sequence[str] = ("proxy", "serve"),
    ) -> None:
        folder.mkdir()
        self.folder = folder
        self.file = folder / "sidecar.yaml"
        self.urls: dict[str, str] = {}
        """Of the listeners."""
        self._configuration = configuration
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: _Listener | None = None

    async def start(self) -> None:
        """Returns when it listens."""
        self.file.write_text(json.dumps(self._configuration))
        reading, writing = os.pipe()
        self._listener = _Listener(reading, self.folder / "stdout")
        with (self.folder / "stderr").open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: ASYNC220  (whoever forks must live on)
                [sys.executable, "-P", "-m", *self._module, str(self.file)],
                stdout=writing,
                stderr=errors,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  (one call)
            )
        os.close(writing)
        async with asyncio.timeout(START_S):
            while len(self._listener.addresses) < 3:
                assert self._process.poll() is None, (self.folder / "stderr").read_text()
                await asyncio.sleep(_POLL_S)
        self.urls = dict(self._listener.addresses)

    async def stop(self) -> None:
        if self._process is not None and self._listener is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
            await asyncio.to_thread(self._listener.close)
            self._process = None

    def stop_listening(self) -> None:
        """Nobody reads its log any more, and the pipe fills."""
        assert self._listener is not None
        self._listener.is_deaf.set()

    def freeze(self, *, frozen: bool) -> None:
        """As a CPU limit does it: nothing of the process runs."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGSTOP if frozen else signal.SIGCONT)


class _Listener:
    """Copies a log into a file, from a thread, until it is told not to listen any more."""

    def __init__(self, reading: int, file: Path) -> None:
        self.addresses: dict[str, str] = {}
        self.is_deaf = threading.Event()
        self._reading = reading
        self._file = file
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.is_deaf.set()
        self._thread.join()
        os.close(self._reading)

    def _run(self) -> None:
        rest = b""
        with self._file.open("ab", buffering=0) as log:
            while not self.is_deaf.is_set():
                if not select.select([self._reading], [], [], _POLL_S)[0]:
                    continue
                piece = os.read(self._reading, 65_536)
                if not piece:
                    return
                log.write(piece)
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    self._hear(line)

    def _hear(self, line: bytes) -> None:
        if b'"listening"' in line:
            said = json.loads(line)
            self.addresses[said["listener"]] = said["address"]


def _end_with_parent() -> None:
    """Even a suite that is killed leaves no sidecar behind (Linux, prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
