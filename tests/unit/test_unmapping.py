"""What only the start has read is given up, and nothing that is nowhere else."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.unmapping import unchanged, unmap_files

CODE = "7f0000001000-7f0000003000 r-xp 00001000 fe:00 42                 /usr/lib/one.so"
"""Two pages."""


def told(head: str, **kib: int) -> str:
    figures = {"Size": 8, "Rss": 8, "Private_Dirty": 0, "Anonymous": 0, "Swap": 0} | kib
    return "\n".join([head, *(f"{name}:  {size:>10} kB" for name, size in figures.items()), ""])


def test_code_that_is_as_in_its_file_is_given_up() -> None:
    constants = CODE.replace("r-xp", "r--p").replace("1000-7f0000003000", "5000-7f0000006000")
    maps = told(CODE) + "VmFlags: rd ex mr mw me sd\n" + told(constants)
    assert list(unchanged(maps)) == [(0x7F0000001000, 0x2000), (0x7F0000005000, 0x1000)]


@pytest.mark.parametrize(
    "maps",
    [
        told(CODE, Anonymous=4),
        told(CODE, Swap=4),
        told(CODE.replace("r-xp", "rw-p")),
        told(CODE.replace("r-xp", "r--s")),
        told(CODE.replace("fe:00 42 ", "00:00 0 ")),
        told("7ffd1000-7ffd3000 r-xp 00000000 00:00 0                  [vdso]"),
        "",
    ],
)
def test_what_is_in_no_file_or_differs_from_it_or_may_be_written_to_is_kept(maps: str) -> None:
    assert list(unchanged(maps)) == []


def test_a_mapping_that_is_kept_does_not_save_the_next_one() -> None:
    other = CODE.replace("1000-7f0000003000", "5000-7f0000006000")
    assert list(unchanged(told(CODE, Anonymous=4) + told(other))) == [(0x7F0000005000, 0x1000)]


def test_where_the_system_says_nothing_nothing_is_done(tmp_path: Path) -> None:
    assert unmap_files(tmp_path / "smaps") == 0


@pytest.mark.skipif(platform.system() != "Linux", reason="as Linux has it")
def test_a_process_works_on_with_less_memory() -> None:
    lived = """
import hashlib, json, ssl, sys
from proxy.unmapping import unmap_files
def resident():
    return int(open("/proc/self/statm").read().split()[1])
before = resident()
given_up = unmap_files()
after = resident()
ssl.create_default_context()
print(json.dumps([before, after, given_up, hashlib.sha256(b"x").hexdigest()[:4]]))
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", lived], capture_output=True, text=True, check=True
    )
    before, after, given_up, digest = done.stdout.strip("[]\n").split(", ")
    assert int(after) < int(before)
    assert int(given_up) > 1024 * 1024
    assert digest == '"2d71"'
