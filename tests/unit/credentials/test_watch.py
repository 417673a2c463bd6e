"""Watching files: which folders matter, and that no change is missed, however it is made."""

import asyncio
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from proxy.credentials.watch import Watcher
from proxy.credentials.whereabouts import Changes, folders_of
from tests.servers.mount import KubernetesMount, PlainFolder

NEVER_S = 3600.0
"""A poll that does not come, so that what is seen was seen by an event."""
BOUND_S = 10.0
TMPFS = "/dev/shm"  # noqa: S108  (the folders in it are made by mkdtemp)


@pytest.fixture(params=["disk", "tmpfs"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    if request.param == "disk":
        yield tmp_path
        return
    if not os.access(TMPFS, os.W_OK):
        pytest.skip(f"there is no tmpfs at {TMPFS}")
    path = Path(mkdtemp(dir=TMPFS))
    yield path
    shutil.rmtree(path)


class Hints:
    """Reads the files at each hint, as a holder does."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._heard = asyncio.Event()
        self.hints = 0
        self.found: list[bytes] = []

    def hear(self) -> None:
        self.hints += 1
        self.found = [path.read_bytes() if path.exists() else b"" for path in self._paths]
        self._heard.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_S):
            while not holds():
                self._heard.clear()
                await self._heard.wait()

    async def until_found(self, *contents: bytes) -> None:
        await self.until(lambda: self.found == list(contents))


@asynccontextmanager
async def watching(*paths: Path, poll_s: float = NEVER_S) -> AsyncIterator[Hints]:
    hints = Hints(*paths)
    running = asyncio.get_running_loop().create_task(
        Watcher(paths, hints.hear, poll_s=poll_s).run()
    )
    try:
        yield hints
    finally:
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()
        assert not [one for one in threading.enumerate() if one.name == "watching"]


def test_the_folder_of_a_file_is_watched_and_the_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "client.pem").touch()
    assert folders_of(tmp_path / "client.pem") == {tmp_path: {"client.pem"}}


def test_of_a_mount_the_folder_of_the_links_is_watched(tmp_path: Path) -> None:
    mount = KubernetesMount(tmp_path)
    mount.update({"client.pem": b"1"})
    assert folders_of(tmp_path / "client.pem") == {
        tmp_path: {"client.pem", "..data"},
        (tmp_path / "..data").resolve(): {"client.pem"},
    }


def test_a_folder_that_is_a_link_is_watched_where_the_link_is(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "client.pem").touch()
    (tmp_path / "current").symlink_to(tmp_path / "v1")
    assert folders_of(tmp_path / "current" / "client.pem") == {
        tmp_path: {"current"},
        tmp_path / "v1": {"client.pem"},
    }


def test_links_lead_upwards_and_from_the_root(tmp_path: Path) -> None:
    for name in ("live", "archive"):
        (tmp_path / name).mkdir()
    (tmp_path / "archive" / "cert5.pem").touch()
    (tmp_path / "live" / "cert.pem").symlink_to("../archive/cert5.pem")
    assert folders_of(tmp_path / "live" / "cert.pem") == {
        tmp_path / "live": {"cert.pem"},
        tmp_path / "archive": {"cert5.pem"},
    }


def test_of_a_path_that_is_not_there_yet_its_first_missing_part_is_waited_for(
    tmp_path: Path,
) -> None:
    assert folders_of(tmp_path / "certs" / "deep" / "client.pem") == {tmp_path: {"certs"}}
    (tmp_path / "certs").mkdir()
    assert folders_of(tmp_path / "certs" / "deep" / "client.pem") == {tmp_path / "certs": {"deep"}}


def test_links_in_a_circle_are_not_followed_for_ever(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert folders_of(tmp_path / "a") == {tmp_path: {"a", "b"}}


def test_a_relative_path_is_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert folders_of(Path("certs/client.pem")) == {tmp_path: {"certs"}}


async def test_every_swap_of_a_mount_is_seen_by_an_event(folder: Path) -> None:
    mount = KubernetesMount(folder)
    mount.update({"client.pem": b"0", "client.key": b"0"})
    async with watching(folder / "client.pem", folder / "client.key") as hints:
        await hints.until_found(b"0", b"0")
        for number in map(str, range(1, 6)):
            content = number.encode()
            mount.update({"client.pem": content, "client.key": content})
            await hints.until_found(content, content)


@pytest.mark.parametrize("way", [PlainFolder.overwrite, PlainFolder.replace])
async def test_a_plain_file_is_seen_however_it_is_written(
    folder: Path, way: Callable[[PlainFolder, str, bytes], None]
) -> None:
    plain = PlainFolder(folder)
    async with watching(folder / "client.pem") as hints:
        await hints.until_found(b"")
        for content in (b"one", b"two", b"six", b"ten"):
            way(plain, "client.pem", content)
            await hints.until_found(content)


async def test_a_folder_may_come_later_and_be_replaced_by_another(folder: Path) -> None:
    path = folder / "certs" / "deep" / "client.pem"
    async with watching(path) as hints:
        await hints.until_found(b"")
        PlainFolder(path.parent).update({"client.pem": b"first"})
        await hints.until_found(b"first")
        shutil.rmtree(folder / "certs")
        await hints.until_found(b"")
        PlainFolder(path.parent).update({"client.pem": b"second"})
        await hints.until_found(b"second")
        PlainFolder(path.parent).replace("client.pem", b"third")
        await hints.until_found(b"third")


async def test_a_link_that_is_turned_over_higher_up_is_seen(folder: Path) -> None:
    for name in ("v1", "v2"):
        PlainFolder(folder / name).update({"client.pem": name.encode()})
    (folder / "current").symlink_to("v1")
    async with watching(folder / "current" / "client.pem") as hints:
        await hints.until_found(b"v1")
        (folder / "fresh").symlink_to("v2")
        (folder / "fresh").rename(folder / "current")
        await hints.until_found(b"v2")


def test_a_change_is_told_twice_and_rest_not_at_all(tmp_path: Path) -> None:
    """Two writes within one tick of a coarse clock look like one."""
    path = tmp_path / "client.pem"
    changes = Changes([path])
    assert [changes.seen() for _ in range(4)] == [True, True, False, False]
    path.write_bytes(b"1")
    assert [changes.seen() for _ in range(4)] == [True, True, False, False]
    path.unlink()
    assert [changes.seen() for _ in range(3)] == [True, True, False]


async def test_with_nothing_to_watch_there_is_one_hint_and_no_thread() -> None:
    async with watching() as hints:
        await hints.until(lambda: hints.hints == 1)
        assert not [one for one in threading.enumerate() if one.name == "watching"]


async def test_what_goes_wrong_in_the_thread_is_raised_where_it_is_awaited() -> None:
    with pytest.raises(AttributeError):
        await Watcher(["not a path"], lambda: None).run()  # type: ignore[list-item]  # on purpose
