"""Work with mounted files, in threads: on a dead mount it hangs, and then nothing else may."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

LATE_S = 0.25
"""What takes longer is waited for no more by others."""


class Errand(Generic[T]):
    """Work that has begun, in a thread of its own that ends with it."""

    def __init__(self, work: Callable[[], T], *, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[T] = self._loop.create_future()
        self._work = work
        self._thread = Thread(target=self._go, name=name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Until the thread of work that is done has ended, which is at once."""
        self._thread.join()

    def _go(self) -> None:
        try:
            tell = partial(_give, self.done, self._work())
        except Exception as error:  # noqa: BLE001  (raised where it is awaited)
            tell = partial(_fail, self.done, error)
        with suppress(RuntimeError):  # the loop is closed, for the thread was left behind
            self._loop.call_soon_threadsafe(tell)


class Turns:
    """One errand after the other; who is late keeps nobody waiting for longer than that."""

    def __init__(self, name: str, *, late_s: float = LATE_S) -> None:
        self._name = name
        self._late_s = late_s
        self._turn = asyncio.Semaphore(1)

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`. A caller who is cancelled leaves it to its thread."""
        async with self._turn:
            done = Errand(work, name=self._name).done
            try:
                await asyncio.wait({done}, timeout=self._late_s)
            except asyncio.CancelledError:
                done.cancel()
                raise
        return await done


_READING: "WeakKeyDictionary[asyncio.AbstractEventLoop, Turns]" = WeakKeyDictionary()


async def read(work: Callable[[], T]) -> T:
    """Reads files, in turn with all others on this event loop."""
    turns = _READING.setdefault(asyncio.get_running_loop(), Turns("reading"))
    return await turns.run(work)


def _give(done: "asyncio.Future[T]", result: T) -> None:
    if not done.done():  # somebody still waits for it
        done.set_result(result)


def _fail(done: "asyncio.Future[T]", error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
