"""One watch for everybody: what is shared, what is not, and when it is not to be had."""

import asyncio
import errno
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import pytest

from proxy.credentials.errands import Turns
from proxy.credentials.inotify import Inotify, News
from proxy.credentials.lookout import Lookout
from proxy.credentials.watched import Look, Watched
from tests.servers.mount import KubernetesMount

NEVER_S = 3600.0
OFTEN_S = 0.02
BOUND_S = 10.0
HELD_S = 30.0
"""A thread that a failing test left hanging ends then."""


class Heard:
    """Counts hints."""

    def __init__(self) -> None:
        self.hints = 0
        self._came = asyncio.Event()

    def __call__(self) -> None:
        self.hints += 1
        self._came.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_S):
            while not holds():
                self._came.clear()
                await self._came.wait()

    async def more(self) -> None:
        before = self.hints
        await self.until(lambda: self.hints > before)


class Counting(Inotify):
    """Knows what was begun and forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: dict[str, int] = {}
        self.forgotten: list[int] = []

    def watch(self, folder: str) -> int:
        self.numbers[folder] = super().watch(folder)
        return self.numbers[folder]

    def forget(self, number: int) -> None:
        self.forgotten.append(number)
        super().forget(number)


@asynccontextmanager
async def lookout(
    poll_s: float = NEVER_S, make: Callable[[], Inotify] = Inotify
) -> AsyncIterator[Lookout]:
    one = Lookout(poll_s, make=make)
    try:
        yield one
    finally:
        assert not one.is_wanted
        await one.aclose()


def threads(name: str = "watching") -> int:
    return sum(one.name == name for one in threading.enumerate())


def _watches(inotify: Inotify) -> int:
    """As many as the system knows of."""
    about = Path(f"/proc/self/fdinfo/{inotify.fileno()}").read_text(encoding="utf-8")
    return about.count("inotify wd:")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  (a count of names)


async def test_many_share_a_descriptor_and_a_thread_and_leave_none(tmp_path: Path) -> None:
    before = descriptors()
    async with lookout(OFTEN_S) as one:
        every = [Heard() for _ in range(30)]
        paths = [tmp_path / str(number) / "client.pem" for number in range(30)]
        with _watching(one, *zip(paths, every, strict=True)):
            for heard in every:
                await heard.until(partial(_has_heard, heard))
            assert (descriptors() - before, threads()) == (1, 1)
            paths[7].parent.mkdir()
            paths[7].touch()
            await every[7].more()
    assert (descriptors(), threads()) == (before, 0)


async def test_a_folder_is_watched_until_the_last_holder_leaves(tmp_path: Path) -> None:
    made: list[Counting] = []

    def make() -> Counting:
        made.append(Counting())
        return made[-1]

    first, second = Heard(), Heard()
    async with lookout(make=make) as one:
        with _watching(one, (tmp_path / "a", first)):
            with _watching(one, (tmp_path / "b", second)):
                await second.more()
            assert made[0].forgotten == []
            (tmp_path / "a").touch()
            await first.more()
        assert made[0].forgotten == [made[0].numbers[str(tmp_path)]]


async def test_after_any_number_of_swaps_no_watch_is_left_behind(tmp_path: Path) -> None:
    counting = Counting()
    mount = KubernetesMount(tmp_path)
    mount.update({"client.pem": b"0"})
    heard = Heard()
    async with lookout(make=lambda: counting) as one:
        with _watching(one, (tmp_path / "client.pem", heard)):
            await heard.more()
            for number in range(20):
                mount.update({"client.pem": str(number).encode()})
                await heard.more()
            await heard.until(lambda: len(one._of) == 2)
            assert _watches(counting) <= 3  # one may be about to be forgotten


@pytest.mark.parametrize(
    ("names", "is_gone", "is_due"),
    [
        ({"sidecar.log"}, False, False),
        ({"sidecar.log", "..data"}, False, True),
        ({""}, False, True),  # the directory itself: its mode
        ({""}, True, True),
        ({"sidecar.log"}, True, True),
    ],
)
async def test_files_that_others_write_beside_ours_are_no_reason_to_look(
    tmp_path: Path, *, names: set[str], is_gone: bool, is_due: bool
) -> None:
    watched = Watched([tmp_path / "client.pem"], Heard())
    watched.names = {7: frozenset({"client.pem", "..data"})}
    watched.begin()
    watched.heard(7, names, is_gone=is_gone)
    assert watched.is_due is is_due
    assert watched.lost == ({7} if is_gone else set())


async def test_what_is_written_beside_ours_is_looked_at_by_its_holder(tmp_path: Path) -> None:
    heard, other = Heard(), Heard()
    async with lookout() as one:
        with _watching(one, (tmp_path / "client.pem", heard), (tmp_path / "log", other)):
            await heard.until(lambda: bool(heard.hints))
            await other.until(lambda: bool(other.hints))
            for line in ("1", "two", "three"):
                (tmp_path / "log").write_text(line)
                await other.more()


async def test_a_look_that_hangs_keeps_nobody_else_from_theirs(tmp_path: Path) -> None:
    """As on a network mount whose server is gone: here, the first directory to be watched."""
    dead, goes_on = tmp_path / "dead", threading.Event()
    dead.mkdir()

    class Hanging(Inotify):
        def watch(self, folder: str) -> int:
            if folder == str(dead):
                goes_on.wait(HELD_S)
            return super().watch(folder)

    first, second = Heard(), Heard()
    async with lookout(make=Hanging) as one:
        with _watching(one, (dead / "client.pem", first), (tmp_path / "client.pem", second)):
            await second.more()
            (tmp_path / "client.pem").touch()
            await second.more()
            assert first.hints == 0
            goes_on.set()
            await first.more()
            (dead / "client.pem").touch()
            await first.more()
    assert threads() == 0


async def test_a_thread_that_hangs_is_left_behind_and_closes_the_descriptor_at_its_end(
    tmp_path: Path,
) -> None:
    goes_on, is_in, closed = threading.Event(), threading.Event(), asyncio.Event()

    class Hanging(Inotify):
        def watch(self, folder: str) -> int:
            is_in.set()
            goes_on.wait(HELD_S)
            return super().watch(folder)

        def close(self) -> None:
            super().close()
            closed.set()

    before = descriptors()
    async with lookout(make=Hanging) as one:
        with _watching(one, (tmp_path / "client.pem", Heard())):
            await asyncio.to_thread(is_in.wait, BOUND_S)
    assert threads() == 1
    assert descriptors() == before + 1
    goes_on.set()
    async with asyncio.timeout(BOUND_S):
        await closed.wait()
    assert descriptors() == before


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSPC])
async def test_where_inotify_is_used_up_polls_see_changes_and_it_is_said_once(
    tmp_path: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    class UsedUp(Inotify):
        def __init__(self) -> None:
            if number == errno.EMFILE:
                raise OSError(number, "too many open files")
            super().__init__()

        def watch(self, folder: str) -> int:
            raise OSError(number, f"no watch is left for {folder}")

    heard, other = Heard(), Heard()
    with caplog.at_level(logging.WARNING):
        async with lookout(OFTEN_S, make=UsedUp) as one:
            with _watching(one, (tmp_path / "client.pem", heard), (tmp_path / "x", other)):
                await heard.more()
                for content in ("1", "two"):
                    (tmp_path / "client.pem").write_text(content)
                    await heard.more()
    assert [record.message[:36] for record in caplog.records] == [
        "directories are polled, and not watc"
    ]


async def test_a_descriptor_that_breaks_leaves_the_polls(tmp_path: Path) -> None:
    class Broken(Inotify):
        def read(self) -> News:
            raise OSError(errno.EIO, "nothing can be read")

    heard = Heard()
    async with lookout(OFTEN_S, make=Broken) as one:
        with _watching(one, (tmp_path / "client.pem", heard)):
            await heard.more()
            for content in ("1", "two", "three"):
                (tmp_path / "client.pem").write_text(content)
                await heard.more()


async def test_after_an_overflow_everybody_looks(tmp_path: Path) -> None:
    class Overflowing(Inotify):
        def read(self) -> News:
            super().read()
            return News(overflowed=True)

    heard, other = Heard(), Heard()
    (tmp_path / "elsewhere").mkdir()
    async with lookout(make=Overflowing) as one:
        with _watching(
            one, (tmp_path / "client.pem", heard), (tmp_path / "elsewhere" / "key", other)
        ):
            await heard.until(lambda: bool(heard.hints))
            await other.until(lambda: bool(other.hints))
            (tmp_path / "elsewhere" / "key").touch()
            (tmp_path / "client.pem").touch()
            await heard.more()
            await other.until(lambda: other.hints > 1)


async def test_what_comes_just_before_a_folder_is_watched_is_not_missed(tmp_path: Path) -> None:
    path = tmp_path / "certs" / "client.pem"
    watched = Watched([path], Heard())

    def begin(folder: str) -> int:
        if folder == str(path.parent):
            path.touch()
        return len(folder)

    looks = [watched.look(begin, {}, is_due=True) for _ in range(3)]
    assert [look is not None and look.hint for look in looks] == [True, True, False]
    path.parent.mkdir()
    look = watched.look(begin, {}, is_due=True)
    assert look is not None
    assert look.hint
    assert look.names == {len(str(path.parent)): {"client.pem"}}


async def test_a_watch_that_the_system_has_ended_is_begun_anew(tmp_path: Path) -> None:
    """As after a directory that was removed and made again, with the number that it had."""
    counting, heard = Counting(), Heard()
    async with lookout(make=lambda: counting) as one:
        with _watching(one, (tmp_path / "client.pem", heard)):
            await heard.more()
            counting.forget(counting.numbers[str(tmp_path)])
            for content in ("1", "two", "three"):
                (tmp_path / "client.pem").write_text(content)
                await heard.more()


async def test_what_happens_while_a_look_begins_its_watches_makes_another_look(
    tmp_path: Path,
) -> None:
    heard, looked = Heard(), Look(hint=False, names={7: frozenset({"key"})}, lost=frozenset())
    async with lookout() as one:
        with _watching(one, (tmp_path / "client.pem", heard)):
            await heard.more()
            (watched,) = one._all
            for told, ended in ((set(), set()), ({7}, set()), ({7}, {7})):  # type: ignore[var-annotated]
                watched.begin()
                one._tell_who_is_looked_at(told, ended)
                one._looked(watched, looked)
                assert (watched.is_due, watched.lost) == (bool(told), ended)
            watched.is_in_hand = False


async def test_errands_are_done_one_by_one_and_a_late_one_keeps_nobody_waiting() -> None:
    turns, goes_on = Turns("reading", late_s=0.05), threading.Event()

    def counted() -> int:
        return threads("reading")

    assert await asyncio.gather(*(turns.run(counted) for _ in range(20))) == [1] * 20
    hung = asyncio.get_running_loop().create_task(turns.run(lambda: goes_on.wait(HELD_S)))
    await asyncio.sleep(0)  # it has begun
    async with asyncio.timeout(BOUND_S):
        assert await turns.run(counted) == 2
    assert not hung.done()
    goes_on.set()
    assert await hung
    for thread in threading.enumerate():
        if thread.name == "reading":
            thread.join(BOUND_S)
    assert threads("reading") == 0


async def test_an_errand_raises_where_it_is_awaited_and_may_be_left() -> None:
    turns, goes_on = Turns("reading"), threading.Event()

    def fail() -> None:
        raise ValueError("what went wrong")

    with pytest.raises(ValueError, match="went wrong"):
        await turns.run(fail)
    left = asyncio.get_running_loop().create_task(turns.run(lambda: goes_on.wait(HELD_S)))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.wait({left})
    assert left.cancelled()
    async with asyncio.timeout(BOUND_S):
        assert await turns.run(lambda: 7) == 7
    goes_on.set()


def _has_heard(heard: Heard) -> bool:
    return heard.hints > 0


@contextmanager
def _watching(one: Lookout, *every: tuple[Path, Heard]) -> Iterator[None]:
    with ExitStack() as stack:
        for path, heard in every:
            stack.enter_context(one.watching((path,), heard))
        yield
