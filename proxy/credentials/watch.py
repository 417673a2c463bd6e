"""Watching mounted files: directories are watched, never files, and events are only hints.

A watch on a file sees the first swap of a mount and none after it. Nor is a watch to be relied
on: inotify runs out, network mounts are silent. So a slow poll stands behind it, and what is told
is only that the files may have changed.
"""

import asyncio
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import NamedTuple, TypeAlias

from proxy.credentials.inotify import Inotify, StopSign

POLL_S = 0.5
"""Also where no event comes at all, a change is seen within a second."""
GATHER_S = 0.05
"""A swap of a mount is over within milliseconds; what goes on for longer is told meanwhile."""
STOP_S = 1.0
"""A thread that hangs on a dead mount is left behind."""
LINKS = 40
"""As many as Linux follows."""

Stamp: TypeAlias = tuple[int, ...] | str
Wait: TypeAlias = Callable[[StopSign, float], set[str]]
"""Waits until something changes, at most so many seconds; gives the folders that are gone."""


class Watcher:
    """Calls `on_hint`, on the event loop, when one of the files may have changed.

    It calls it once as soon as it watches. The files, and the directories that they are in, need
    not be there yet.
    """

    def __init__(
        self, paths: Iterable[Path], on_hint: Callable[[], None], *, poll_s: float = POLL_S
    ) -> None:
        self._paths = tuple(paths)
        self._on_hint = on_hint
        self._poll_s = poll_s

    async def run(self) -> None:
        """Watches until it is cancelled, in a thread of its own: a dead mount hangs nobody else."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()
        if not self._paths:
            self._on_hint()
            await ended
        stop = StopSign()

        def watch_on() -> None:
            error: Exception | None = None
            try:
                for _ in _hints(self._paths, stop, poll_s=self._poll_s):
                    loop.call_soon_threadsafe(self._on_hint)
            except Exception as met:  # noqa: BLE001  (raised where the thread is awaited)
                error = met
            with suppress(RuntimeError):  # the loop is closed, for the thread was left behind
                loop.call_soon_threadsafe(_end, ended, error)

        thread = Thread(target=watch_on, name="watching", daemon=True)
        thread.start()
        try:
            await asyncio.wait({ended})
        finally:
            stop.set()
            await asyncio.wait({ended}, timeout=STOP_S)
            if ended.done():
                thread.join()  # which is at its end
                stop.close()
        ended.result()


def folders_of(path: Path) -> set[Path]:
    """The directories in which a change may make `path` lead to something else.

    These are where the file is, and where each link on the way to it is; of a path that leads
    nowhere yet, where its first missing part will be.
    """
    found: set[Path] = set()
    here = Path(path.anchor or Path.cwd())
    todo = _parts(path)
    links = 0
    while todo:
        part = todo.pop()
        if part == os.pardir:
            here = here.parent
            continue
        target = _link(here / part)
        if target is None:
            if todo and (here / part).is_dir():
                here /= part
                continue
            found.add(here)
            break
        found.add(here)
        links += 1
        if links > LINKS:
            break
        here = Path(target.anchor) if target.is_absolute() else here
        todo += _parts(target)
    return found


def _parts(path: Path) -> list[str]:
    """Last part first, without the root."""
    return list(reversed(path.relative_to(path.anchor).parts))


def _link(path: Path) -> Path | None:
    try:
        return path.readlink()
    except OSError:
        return None


class _Folder(NamedTuple):
    """One that is replaced is another one, under the same name."""

    path: Path
    device: int
    inode: int


def _folders(paths: Collection[Path]) -> set[_Folder]:
    """Those to watch."""
    found = set()
    for folder in set().union(*map(folders_of, paths)):
        with suppress(OSError):
            status = folder.stat()
            found.add(_Folder(folder, status.st_dev, status.st_ino))
    return found


@contextmanager
def _events_of(
    folders: Collection[_Folder], *, make: Callable[[Collection[str]], Inotify] = Inotify
) -> Iterator[Wait]:
    """Gathers events from now on, also between two waits."""
    names = {str(one.path) for one in folders}
    try:
        inotify = make(sorted(names))
    except OSError:
        yield _no_events  # a folder is gone again, or the system has no watch left for us
        return

    def wait(stop: StopSign, within_s: float) -> set[str]:
        try:
            return inotify.wait(stop, within_s, gather_s=GATHER_S)
        except OSError:  # a watch broke: another one is begun for every folder
            stop.wait(GATHER_S)
            return names

    with closing(inotify):
        yield wait


def _no_events(stop: StopSign, within_s: float) -> set[str]:
    stop.wait(within_s)
    return set()


EventsOf: TypeAlias = Callable[[Collection[_Folder]], AbstractContextManager[Wait]]


def _hints(
    paths: Collection[Path], stop: StopSign, *, poll_s: float, events_of: EventsOf = _events_of
) -> Iterator[None]:
    """In a thread. One hint at once, then whenever the files may have changed."""
    changes = _Changes(paths)
    while not stop.is_set():
        folders = _folders(paths)
        names = {str(folder.path) for folder in folders}
        with events_of(folders) as wait:
            while not stop.is_set():
                if changes.seen():
                    yield
                if _folders(paths) != folders or wait(stop, poll_s) & names:
                    break


class _Changes:
    """Whether files may have changed since they were last looked at."""

    def __init__(self, paths: Collection[Path]) -> None:
        self._paths = paths
        self._stamps: list[Stamp] | None = None
        self._moved = False

    def seen(self) -> bool:
        """Says so a second time after each change.

        The clock of a file system is coarse: of two changes within 4 ms, the later may not show.
        """
        stamps = [_stamp(path) for path in self._paths]
        before_last, self._moved = self._moved, stamps != self._stamps
        self._stamps = stamps
        return self._moved or before_last


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        return type(error).__name__
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _end(ended: "asyncio.Future[None]", error: Exception | None) -> None:
    if ended.cancelled():
        return
    if error is not None:
        ended.set_exception(error)
    else:
        ended.set_result(None)
