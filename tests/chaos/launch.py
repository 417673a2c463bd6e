"""The sidecar as it is, in a process of its own, in a world whose names can be taken away.

`python -m tests.chaos.launch FOLDER serve …`: `FOLDER/names.json` says what each host name resolves
to; `FOLDER/clock`, where there is one, by how many seconds the machine's wall clock is wrong; on
SIGUSR1 it writes to `FOLDER/tasks.json` which tasks there are. Nothing of ours is changed: the
event loop, and the class that says what time it is, are ones that look there first.
"""

import asyncio
import gc
import json
import signal
import socket
import sys
from collections import Counter
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import FrameType
from typing import Any

from adapters import lookup
from proxy.cli import main

_POLL_S = 0.02
HANGS = "hangs"
"""Stands for an address that never comes."""


class Loop(asyncio.SelectorEventLoop):
    folder: Path

    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> Any:
        """Of a name that is not in the file, as the system says."""
        if (names := self._names()) and host in names:
            while (address := self._names()[host]) == HANGS:  # noqa: ASYNC110  (a file tells)
                await asyncio.sleep(_POLL_S)
            if address is None:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            host = address
        return await super().getaddrinfo(host, port, **more)

    def _names(self) -> dict[str, str | None]:
        names: dict[str, str | None] = json.loads((self.folder / "names.json").read_text())
        return names

    def census(self, number: int, frame: FrameType | None) -> None:
        gc.collect()
        named = Counter(_name(task) for task in asyncio.all_tasks(self))
        draft = self.folder / "tasks.draft"
        draft.write_text(json.dumps(named))
        draft.replace(self.folder / "tasks.json")


def wrong_clock(folder: Path) -> type[datetime]:
    """A `datetime` whose `now` is as wrong as the file says."""
    file = folder / "clock"

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            ahead_s = float(file.read_text()) if file.exists() else 0.0
            return datetime.now(tz) + timedelta(seconds=ahead_s)  # noqa: TID251  (the clock itself)

    return Clock


def _name(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", type(task).__name__)


def launch(folder: Path, arguments: list[str]) -> int:
    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self) -> Loop:
            loop = Loop()
            signal.signal(signal.SIGUSR1, loop.census)
            return loop

    Loop.folder = folder
    asyncio.set_event_loop_policy(Policy())
    lookup.datetime = wrong_clock(folder)  # type: ignore[attr-defined]  # where `wall_clock` looks
    return main(arguments)


if __name__ == "__main__":
    sys.exit(launch(Path(sys.argv[1]), sys.argv[2:]))
