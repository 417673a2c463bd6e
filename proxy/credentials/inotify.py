"""What Linux tells of changes in directories, inotify(7), without a look while nothing changes.

Libraries for it look twenty times a second, in a thread of their own for each use.
"""

import ctypes
import os
import select
import struct
from collections.abc import Callable, Iterable
from threading import Event

_CHANGED = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200
"""Of what is in it: written, its attributes, closed after writing, moved from or to, made,
deleted."""
_GONE = 0x400 | 0x800 | 0x2000 | 0x8000
"""The directory itself: deleted, moved, unmounted, watched no more."""
_OVERFLOW = 0x4000
"""Some events were dropped."""
_ONLY_DIRECTORIES = 0x0100_0000
_HEAD = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows
_BUFFER = 64 * 1024


class StopSign(Event):
    """An event that ends a wait for descriptors, too."""

    def __init__(self) -> None:
        super().__init__()
        self.readable, self._writable = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def set(self) -> None:
        if not self.is_set():
            super().set()
            os.write(self._writable, b"\0")

    def close(self) -> None:
        """When nobody waits for it any more."""
        os.close(self.readable)
        os.close(self._writable)


class Inotify:
    """Watches directories from now on, also between two waits."""

    def __init__(self, folders: Iterable[str]) -> None:
        """Raises `OSError`: one is gone, or the system has no watch left, or is not Linux."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._call("inotify_init1", os.O_NONBLOCK | os.O_CLOEXEC)
        self._folders: dict[int, str] = {}
        mask = ctypes.c_uint32(_CHANGED | _GONE & 0xFFF | _ONLY_DIRECTORIES)
        try:
            for folder in folders:
                path = ctypes.c_char_p(os.fsencode(folder))
                watch = self._call("inotify_add_watch", self._descriptor, path, mask)
                self._folders[watch] = folder
        except OSError:
            self.close()
            raise

    def wait(self, stop: StopSign, within_s: float, *, gather_s: float = 0.0) -> set[str]:
        """The directories that are gone or replaced, once anything changed in any of them.

        Returns at a change, and what changes within `gather_s` after it is the same; at `stop`;
        or after `within_s`. Raises `OSError`.
        """
        if self._descriptor in _readable(within_s, self._descriptor, stop.readable):
            _readable(gather_s, stop.readable)
            return self._read()
        return set()

    def close(self) -> None:
        os.close(self._descriptor)

    def _read(self) -> set[str]:
        events = os.read(self._descriptor, _BUFFER)
        gone: set[str] = set()
        at = 0
        while at < len(events):
            watch, mask, _, length = _HEAD.unpack_from(events, at)
            at += _HEAD.size + length
            if mask & _OVERFLOW:
                gone.update(self._folders.values())
            elif mask & _GONE:
                gone.add(self._folders[watch])
        return gone

    def _call(self, name: str, *arguments: object) -> int:
        function: Callable[..., int] | None = getattr(self._libc, name, None)
        if function is None:
            raise OSError(f"this system has no {name}")
        result = function(*arguments)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


def _readable(within_s: float, *descriptors: int) -> set[int]:
    """Those of the descriptors that can be read, at the latest after that time."""
    poll = select.poll()
    for one in descriptors:
        poll.register(one, select.POLLIN)
    return {one for one, _ in poll.poll(within_s * 1000)}
