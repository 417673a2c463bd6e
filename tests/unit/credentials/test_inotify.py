"""What the system tells of changes: everything that happens in a folder, on one descriptor."""

import os
import select
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from proxy.credentials.inotify import Inotify, News

LONG_S = 60.0
"""A wait that does not come to its end."""


@pytest.fixture
def inotify() -> Iterator[Inotify]:
    with closing(Inotify()) as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "folder"
    inner.mkdir()
    (inner / "there").write_bytes(b"1")
    return inner


def told(inotify: Inotify) -> News:
    """The next news."""
    assert select.select([inotify], [], [], LONG_S)[0]
    return inotify.read()


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
def test_whatever_changes_in_a_folder_is_told(
    inotify: Inotify, folder: Path, change: Callable[[Path], object]
) -> None:
    folder.with_name("file").touch()
    number = inotify.watch(str(folder))
    assert inotify.read() == News()
    change(folder)
    news = told(inotify)
    assert (news.changed.keys(), news.gone) == ({number}, set())  # the folder itself is there
    assert news.changed[number] & {"there", "new", "link"}


def test_of_several_folders_the_one_that_changed_is_told(inotify: Inotify, folder: Path) -> None:
    other = folder.with_name("other")
    other.mkdir()
    numbers = [inotify.watch(str(one)) for one in (folder, other)]
    (other / "new").touch()
    assert told(inotify).changed == {numbers[1]: {"new"}}
    (folder / "new").touch()
    assert told(inotify).changed == {numbers[0]: {"new"}}


def test_a_folder_has_one_watch_whatever_it_is_called(inotify: Inotify, folder: Path) -> None:
    folder.with_name("alias").symlink_to(folder)
    assert inotify.watch(str(folder)) == inotify.watch(str(folder.with_name("alias")))


@pytest.mark.parametrize("way", ["removed", "renamed"])
def test_a_folder_that_is_no_longer_there_is_gone(inotify: Inotify, folder: Path, way: str) -> None:
    (folder / "there").unlink()
    number = inotify.watch(str(folder))
    inotify.watch(str(folder.parent))
    folder.rmdir() if way == "removed" else folder.rename(folder.with_name("elsewhere"))
    assert told(inotify).gone == {number}


def test_a_watch_that_is_forgotten_tells_nothing_more(inotify: Inotify, folder: Path) -> None:
    number = inotify.watch(str(folder))
    inotify.forget(number)
    inotify.forget(number)  # a second time does nothing
    assert told(inotify).gone == {number}
    (folder / "new").touch()
    assert inotify.read() == News()
    assert inotify.watch(str(folder)) != number


def test_an_overflow_is_told(inotify: Inotify, folder: Path) -> None:
    number = inotify.watch(str(folder))
    reading, writing = os.pipe()
    os.write(writing, struct.pack("iIII", -1, 0x4000, 0, 0))
    os.write(writing, struct.pack("iIII", number, 0x100, 0, 0))
    os.dup2(reading, inotify.fileno())
    assert inotify.read() == News(changed={number: {""}}, overflowed=True)
    os.close(reading)
    os.close(writing)


def test_a_folder_that_is_not_there_is_refused(inotify: Inotify, folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inotify.watch(str(folder / "gone"))
    with pytest.raises(NotADirectoryError):
        inotify.watch(str(folder / "there"))
