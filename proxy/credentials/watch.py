"""Watching mounted files: directories are watched, never files, and events are only hints.

A watch on a file sees the first swap of a mount and none after it. Nor is a watch to be relied
on: inotify runs out, network mounts are silent. So a slow poll stands behind it, and what is told
is only that the files may have changed.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from weakref import WeakKeyDictionary

from proxy.credentials.lookout import Lookout

POLL_S = 0.5
"""Also where no event comes at all, a change is seen within a second."""

_LOOKOUTS: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, Lookout]]" = (
    WeakKeyDictionary()
)
"""Of each event loop, by the seconds between two polls. One is there while it watches anything."""


class Watcher:
    """Calls `on_hint`, on the event loop, when one of the files may have changed.

    It calls it once as soon as it watches. The files, and the directories that they are in, need
    not be there yet. All watchers of an event loop watch together, with one descriptor and one
    poll, and none of them waits for another one's dead mount.
    """

    def __init__(
        self, paths: Iterable[Path], on_hint: Callable[[], None], *, poll_s: float = POLL_S
    ) -> None:
        self._paths = tuple(paths)
        self._on_hint = on_hint
        self._poll_s = poll_s

    async def run(self) -> None:
        """Watches until it is cancelled."""
        loop = asyncio.get_running_loop()
        if not self._paths:
            self._on_hint()
            await loop.create_future()
        lookouts = _LOOKOUTS.setdefault(loop, {})
        if self._poll_s not in lookouts:
            lookouts[self._poll_s] = Lookout(self._poll_s)
        lookout = lookouts[self._poll_s]
        try:
            with lookout.watching(self._paths, self._on_hint) as failed:
                await failed
        finally:
            if not lookout.is_wanted and lookouts.get(self._poll_s) is lookout:
                del lookouts[self._poll_s]
                await lookout.aclose()
