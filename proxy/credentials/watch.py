"""Watching mounted files: directories are watched, never files, and events are only hints.

A watch on a file sees the first swap of a mount and none after it. Nor is a watch to be relied
on: inotify runs out, network mounts are silent. So a slow poll stands behind it.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

POLL_S = 1.0


class Watcher:
    """Calls `on_hint`, on the event loop, when one of the files may have changed.

    The files, and the directories that they are in, need not be there yet.
    """

    def __init__(
        self, paths: Iterable[Path], on_hint: Callable[[], None], *, poll_s: float = POLL_S
    ) -> None:
        self._paths = tuple(paths)
        self._on_hint = on_hint
        self._poll_s = poll_s

    async def run(self) -> None:
        """Watches until it is cancelled."""
        while True:
            await asyncio.sleep(self._poll_s)
            self._on_hint()
