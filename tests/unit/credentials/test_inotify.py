"""What the system tells of changes: everything that happens in a folder, and a stop at once."""

import asyncio
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proxy.credentials.inotify import Inotify, StopSign

LONG_S = 60.0
"""A wait that does not come to its end."""


@pytest.fixture
def stop() -> Iterator[StopSign]:
    with closing(StopSign()) as sign:
        yield sign


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "folder"
    inner.mkdir()
    (inner / "there").write_bytes(b"1")
    return inner


CHANGES: dict[str, Callable[[Path], object]] = {
    "written": lambda folder: (folder / "there").write_bytes(b"2"),
    "made": lambda folder: (folder / "new").touch(),
    "linked": lambda folder: (folder / "link").symlink_to("there"),
    "renamed": lambda folder: (folder / "there").rename(folder / "other"),
    "moved here": lambda folder: folder.with_name("file").rename(folder / "there"),
    "deleted": lambda folder: (folder / "there").unlink(),
    "mode": lambda folder: (folder / "there").chmod(0o600),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changes_in_a_folder_ends_the_wait(
    folder: Path, stop: StopSign, change: Callable[[Path], object]
) -> None:
    folder.with_name("file").touch()
    with closing(Inotify([str(folder)])) as inotify:
        assert inotify.wait(stop, 0.0) == set()
        change(folder)
        assert inotify.wait(stop, LONG_S) == set()  # the folder itself is there


def test_what_changes_between_two_waits_is_not_missed(folder: Path, stop: StopSign) -> None:
    with closing(Inotify([str(folder)])) as inotify:
        for content in (b"2", b"3"):
            (folder / "there").write_bytes(content)
            assert inotify.wait(stop, LONG_S) == set()


@pytest.mark.parametrize("way", ["removed", "renamed"])
def test_a_folder_that_is_no_longer_there_is_named(folder: Path, stop: StopSign, way: str) -> None:
    (folder / "there").unlink()
    with closing(Inotify([str(folder), str(folder.parent)])) as inotify:
        folder.rmdir() if way == "removed" else folder.rename(folder.with_name("elsewhere"))
        assert inotify.wait(stop, LONG_S) == {str(folder)}


def test_after_an_overflow_every_folder_is_named(folder: Path, stop: StopSign) -> None:
    with closing(Inotify([str(folder), str(folder.parent)])) as inotify:
        reading, writing = os.pipe()
        os.write(writing, struct.pack("iIII", -1, 0x4000, 0, 0))
        os.dup2(reading, inotify._descriptor)
        assert inotify.wait(stop, LONG_S) == {str(folder), str(folder.parent)}
        os.close(reading)
        os.close(writing)


def test_the_wait_has_an_end_without_any_change(folder: Path, stop: StopSign) -> None:
    with closing(Inotify([str(folder)])) as inotify:
        assert inotify.wait(stop, 0.001) == set()


async def test_a_stop_ends_the_wait_at_once(folder: Path, stop: StopSign) -> None:
    with closing(Inotify([str(folder)])) as inotify:
        waiting = asyncio.to_thread(inotify.wait, stop, LONG_S)
        async with asyncio.timeout(LONG_S / 2), asyncio.TaskGroup() as tasks:
            waited = tasks.create_task(waiting)
            stop.set()
            stop.set()  # a second time does nothing
        assert waited.result() == set()


def test_a_stop_ends_the_gathering_too(folder: Path, stop: StopSign) -> None:
    with closing(Inotify([str(folder)])) as inotify:
        (folder / "there").write_bytes(b"2")
        stop.set()
        assert inotify.wait(stop, LONG_S, gather_s=LONG_S) == set()


def test_a_folder_that_is_not_there_is_refused_and_nothing_stays_open(folder: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (a count of names)
    with pytest.raises(FileNotFoundError):
        Inotify([str(folder), str(folder / "gone")])
    with pytest.raises(NotADirectoryError):
        Inotify([str(folder / "there")])
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208  (a count of names)
