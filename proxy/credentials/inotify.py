"""What Linux tells of changes in directories, inotify(7), without a look while nothing changes.

Libraries for it look twenty times a second, in a thread of their own for each use.
"""

import ctypes
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

_CHANGED = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200
"""Of what is in it: written, its attributes, closed after writing, moved from or to, made,
deleted."""
_GONE = 0x400 | 0x800 | 0x2000 | 0x8000
"""The directory itself: deleted, moved, unmounted, watched no more."""
_OVERFLOW = 0x4000
"""Some events were dropped."""
_ONLY_DIRECTORIES = 0x0100_0000
_MASK = _CHANGED | _GONE & 0xFFF | _ONLY_DIRECTORIES
_HEAD = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows
_BUFFER = 64 * 1024


@dataclass(slots=True)
class News:
    """What became of watches, by their numbers."""

    changed: dict[int, set[str]] = field(default_factory=dict)
    """The names of what is another in the directory; an empty one: the directory itself is."""
    gone: set[int] = field(default_factory=set)
    """The directory is not where it was, or is watched no more."""
    overflowed: bool = False
    """Of any watch, anything may have been missed."""


class Inotify:
    """Watches of directories, on one descriptor, which can be read when there is news."""

    def __init__(self) -> None:
        """Raises `OSError`: the system has none left for us, or is not Linux."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        return self._descriptor

    def watch(self, folder: str) -> int:
        """Begins; the number of the watch, which is never another's afterwards.

        A directory that is watched already, whatever its name was, has the number it had. May hang
        on a dead mount. Raises `OSError`: it is gone, or there is no watch left for us.
        """
        path = ctypes.c_char_p(os.fsencode(folder))
        return self._call("inotify_add_watch", self._descriptor, path, ctypes.c_uint32(_MASK))

    def forget(self, number: int) -> None:
        """Ends a watch, unless its directory has ended it."""
        with suppress(OSError):
            self._call("inotify_rm_watch", self._descriptor, number)

    def read(self) -> News:
        """All there is, up to some thousand events. Never waits. Raises `OSError`."""
        news = News()
        try:
            events = os.read(self._descriptor, _BUFFER)
        except BlockingIOError:
            return news
        at = 0
        while at < len(events):
            number, mask, _, length = _HEAD.unpack_from(events, at)
            at += _HEAD.size + length
            name = events[at - length : at].rstrip(b"\0")
            if mask & _OVERFLOW:
                news.overflowed = True
                continue
            news.changed.setdefault(number, set()).add(os.fsdecode(name))
            if mask & _GONE:
                news.gone.add(number)
        return news

    def close(self) -> None:
        os.close(self._descriptor)

    def _call(self, name: str, *arguments: object) -> int:
        function: Callable[..., int] | None = getattr(self._libc, name, None)
        if function is None:
            raise OSError(f"this system has no {name}")
        result = function(*arguments)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
