"""The file of an audit trail: lines at its end, a bounded number of full files beside it.

It blocks as long as the disk does, so it belongs into a thread of its own.
"""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_MODE = 0o600


class AuditFile:
    """Opened when the first line comes, and anew when somebody has moved or removed it."""

    def __init__(self, path: Path, *, size: int, former_files: int) -> None:
        """`size`: bytes after which a new file is begun; one line is never divided."""
        self._path = path
        self._size = size
        self._former_files = former_files
        self._descriptor: int | None = None

    def write(self, lines: Sequence[bytes]) -> int:
        """How many are written: all of these, or none and `OSError`."""
        content = b"".join(lines)
        descriptor = self._open()
        held = os.fstat(descriptor).st_size
        if held and held + len(content) > self._size:
            self._rotate()
            descriptor, held = self._open(), 0
        self._append(descriptor, content, held)
        return len(lines)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _append(self, descriptor: int, content: bytes, held: int) -> None:
        left = memoryview(content)
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError:
            with suppress(OSError):  # half a line would spoil the next one
                os.ftruncate(descriptor, held)
            raise

    def _open(self) -> int:
        if self._descriptor is not None and not self._is_still_there(self._descriptor):
            self.close()
        if self._descriptor is None:
            descriptor = os.open(self._path, _FLAGS, _MODE)
            try:
                _make_ours(descriptor)
            except OSError:
                os.close(descriptor)
                raise
            self._descriptor = descriptor
        return self._descriptor

    def _is_still_there(self, descriptor: int) -> bool:
        try:
            named = self._path.lstat()
        except OSError:
            return False
        return os.path.samestat(named, os.fstat(descriptor))

    def _rotate(self) -> None:
        """The oldest goes, the others move up by one."""
        self.close()
        if not self._former_files:
            self._path.unlink(missing_ok=True)
            return
        for number in range(self._former_files - 1, 0, -1):
            with suppress(FileNotFoundError):
                self._former(number).replace(self._former(number + 1))
        with suppress(FileNotFoundError):
            self._path.replace(self._former(1))

    def _former(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _make_ours(descriptor: int) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError("an audit trail needs a regular file")
    os.fchmod(descriptor, _MODE)
