"""Where a path leads, and whether what is there may have changed. All of it may block."""

import os
from collections.abc import Collection, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeAlias

LINKS = 40
"""As many as Linux follows."""

Stamp: TypeAlias = tuple[int, ...] | str


class Folder(NamedTuple):
    """One that is replaced is another one, under the same name."""

    path: Path
    device: int
    inode: int


def folders(paths: Collection[Path]) -> set[Folder]:
    """Those to watch."""
    found = set()
    for folder in set().union(*map(folders_of, paths)):
        with suppress(OSError):
            status = folder.stat()
            found.add(Folder(folder, status.st_dev, status.st_ino))
    return found


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


class Changes:
    """Whether files may have changed since they were last looked at."""

    def __init__(self, paths: Collection[Path]) -> None:
        self._paths = paths
        self._stamps: list[Stamp] | None = None
        self._moved = False

    def seen(self, known: MutableMapping[Path, Stamp] | None = None) -> bool:
        """Says so a second time after each change.

        The clock of a file system is coarse: of two changes within 4 ms, the later may not show.
        `known`: what others of the same moment have found, and shall find.
        """
        before_last, self._moved = self._moved, False
        return self.seen_meanwhile(known) or before_last

    def seen_meanwhile(self, known: MutableMapping[Path, Stamp] | None = None) -> bool:
        """In the same look once more: the second word is kept for a later one."""
        stamps = [_known(path, {} if known is None else known) for path in self._paths]
        is_other, self._stamps = stamps != self._stamps, stamps
        self._moved |= is_other
        return is_other


def _known(path: Path, known: MutableMapping[Path, Stamp]) -> Stamp:
    stamp = known.get(path)
    if stamp is None:
        stamp = known[path] = _stamp(path)
    return stamp


def _stamp(path: Path) -> Stamp:
    try:
        status = os.stat(path)  # noqa: PTH116  (what it costs is asked twice a second)
    except (OSError, ValueError) as error:
        return type(error).__name__
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _parts(path: Path) -> list[str]:
    """Last part first, without the root."""
    return list(reversed(path.relative_to(path.anchor).parts))


def _link(path: Path) -> Path | None:
    try:
        return path.readlink()
    except OSError:
        return None
