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

    path: str
    device: int
    inode: int


def folders(paths: Collection[Path]) -> dict[Folder, frozenset[str]]:
    """Those to watch, with the names in them that matter."""
    named: dict[str, set[str]] = {}
    for path in paths:
        for folder, names in folders_of(path).items():
            named.setdefault(str(folder), set()).update(names)
    found = {}
    for name, names in named.items():
        with suppress(OSError):
            status = os.stat(name)  # noqa: PTH116  (a string will do)
            found[Folder(name, status.st_dev, status.st_ino)] = frozenset(names)
    return found


def folders_of(path: Path) -> dict[Path, set[str]]:
    """The directories in which a change may make `path` lead to something else, and of which name.

    These are where the file is, and where each link on the way to it is; of a path that leads
    nowhere yet, where its first missing part will be.
    """
    found: dict[Path, set[str]] = {}
    here = Path(path.anchor or Path.cwd())
    todo = _parts(path)
    links = 0
    while todo:
        part = todo.pop()
        if part == os.pardir:
            here = here.parent
            continue
        target = _link(here / part)
        if target is None and todo and (here / part).is_dir():
            here /= part
            continue
        found.setdefault(here, set()).add(part)
        if target is None:
            break
        links += 1
        if links > LINKS:
            break
        here = Path(target.anchor) if target.is_absolute() else here
        todo += _parts(target)
    return found


class Changes:
    """Whether files may have changed since they were last looked at."""

    def __init__(self, paths: Collection[Path]) -> None:
        self._paths = tuple(map(os.fspath, paths))
        self._stamps: list[Stamp] | None = None
        self._moved = False

    def seen(self, known: MutableMapping[str, Stamp] | None = None) -> bool:
        """Says so a second time after each change.

        The clock of a file system is coarse: of two changes within 4 ms, the later may not show.
        `known`: what others of the same moment have found, and shall find.
        """
        before_last, self._moved = self._moved, False
        return self.seen_meanwhile(known) or before_last

    def seen_meanwhile(self, known: MutableMapping[str, Stamp] | None = None) -> bool:
        """In the same look once more: the second word is kept for a later one."""
        stamps = [_known(path, {} if known is None else known) for path in self._paths]
        is_other, self._stamps = stamps != self._stamps, stamps
        self._moved |= is_other
        return is_other


def _known(path: str, known: MutableMapping[str, Stamp]) -> Stamp:
    stamp = known.get(path)
    if stamp is None:
        stamp = known[path] = _stamp(path)
    return stamp


def _stamp(path: str) -> Stamp:
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
