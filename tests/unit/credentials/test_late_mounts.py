"""Mounts whose server is gone or slow: whoever has files elsewhere is seen to in time."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from proxy.credentials.errands import LATE_S, Turns
from proxy.credentials.inotify import Inotify
from proxy.credentials.lookout import Lookout
from tests.unit.credentials.test_lookout import (
    HELD_S,
    NEVER_S,
    Heard,
    _watches,
    _watching,
    lookout,
    threads,
)

MANY = 8
SOON_S = 2.0
"""Far less than one wait for each of them."""


async def test_many_looks_that_hang_cost_the_others_one_wait(tmp_path: Path) -> None:
    goes_on = threading.Event()

    class Hanging(Inotify):
        def watch(self, folder: str) -> int:
            if "dead" in folder:
                goes_on.wait(HELD_S)
            return super().watch(folder)

    dead = [tmp_path / f"dead{number}" for number in range(MANY)]
    for folder in dead:
        folder.mkdir()
    every, healthy = [Heard() for _ in dead], Heard()
    async with lookout(make=Hanging) as one:
        held = [(folder / "client.pem", heard) for folder, heard in zip(dead, every, strict=True)]
        with _watching(one, *held, (tmp_path / "client.pem", healthy)):
            async with asyncio.timeout(SOON_S):
                await healthy.more()
            assert [heard.hints for heard in every] == [0] * MANY
            goes_on.set()
            for heard in every:
                await heard.until(lambda heard=heard: heard.hints > 0)
    assert threads() == 0


async def test_a_watch_that_ends_before_it_is_known_is_begun_anew(tmp_path: Path) -> None:
    """A look is over in its thread; then another holder of the directory leaves, whose watch it
    was; and only then the event loop hears of the look.
    """
    inotify = Inotify()
    async with lookout(NEVER_S, make=lambda: inotify) as one:
        first, heard = Heard(), Heard()
        with ExitStack() as stack:
            with one.watching((tmp_path / "a",), first):
                await first.more()
                stack.enter_context(one.watching((tmp_path / "b",), heard))
                _look_at_once(one)
            one._gathered(inotify)
            await heard.more()
            await eventually(lambda: _watches(inotify) == 1)
            (tmp_path / "b").touch()
            await heard.more()


def _look_at_once(one: Lookout) -> None:
    """As its thread does, in the middle of a turn of the event loop."""
    due = one._due(is_poll=False)
    assert len(due) == 1
    looking = threading.Thread(target=one._look, args=(due,))
    looking.start()
    looking.join()


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while not holds():  # noqa: ASYNC110  (the kernel tells nobody)
            await asyncio.sleep(0.01)


async def test_errands_that_are_late_do_not_add_up() -> None:
    turns, goes_on = Turns("reading"), threading.Event()
    loop = asyncio.get_running_loop()
    late = [loop.create_task(turns.run(lambda: goes_on.wait(HELD_S))) for _ in range(MANY)]
    await asyncio.sleep(0)
    began = loop.time()
    assert await turns.run(lambda: 1) == 1
    took_s = loop.time() - began
    goes_on.set()
    await asyncio.wait(late)
    assert took_s < MANY * LATE_S / 2
    assert await turns.run(lambda: 2) == 2


class Panic(BaseException):
    """As Rust's, which is no `Exception`."""


async def test_whatever_an_errand_raises_is_raised_where_it_is_awaited() -> None:
    def panics() -> Callable[[], None]:
        raise Panic

    turns = Turns("reading")
    with pytest.raises(Panic):
        async with asyncio.timeout(SOON_S):
            await turns.run(panics)
    assert await turns.run(lambda: 1) == 1
