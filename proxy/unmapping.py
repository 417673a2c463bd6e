"""Pages of programs and libraries that only the start has read are no longer held.

The loader, every import and every type that was set up have touched most of the code there is, and
a question touches little of it. Left alone, all of it counts as memory of this process until the
system is short of some. What is given up here stays where the system keeps files, one copy for all
sidecars of a node; what is needed after all is there again with its first use, without a disk.
"""

import ctypes
import ctypes.util
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MAPS = Path("/proc/self/smaps")
_MADV_DONTNEED = 4
_FILE = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ [1-9].*\n"
    r"(?:[A-Z].*\n)*?Anonymous: +0 kB\n(?:[A-Z].*\n)*?Swap: +0 kB$",
    re.MULTILINE,
)
"""What may only be read, with none of its pages anywhere but in the file."""


def unmap_files(maps: Path = _MAPS) -> int:
    """Bytes of files that are mapped, and held no longer; 0 where the system can't say.

    In a thread: it takes milliseconds, most of them in the system.
    """
    with suppress(OSError, AttributeError):  # another system than Linux
        advise = ctypes.CDLL(None).madvise
        ranges = list(unchanged(maps.read_text(encoding="utf-8", errors="replace")))
        for start, size in ranges:
            advise(ctypes.c_void_p(start), ctypes.c_size_t(size), _MADV_DONTNEED)
        return sum(size for _, size in ranges)
    return 0


def unchanged(maps: str) -> Iterator[tuple[int, int]]:
    """Address and size of each mapping that is no more than its file, of the text of `smaps`.

    That is, nobody may write to it and no page of it was written to before, as the loader does
    where addresses are filled in: such pages are nowhere but in memory.
    """
    for found in _FILE.finditer(maps):
        start, end = (int(one, 16) for one in found.groups())
        yield start, end - start
