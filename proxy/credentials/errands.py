"""Work with mounted files, in threads: on a dead mount it hangs, and then nothing else may."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

LATE_S = 0.25
"""What takes longer is waited for no more by others."""


class Hand:
    """A thread that does one errand after the other until it is dismissed.

    It is kept between errands, for who starts a thread waits until it runs.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._errands: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._last: asyncio.Future[Any] | None = None
        self._thread = Thread(target=self._go, name=name, daemon=True)
        self._thread.start()

    @property
    def is_busy(self) -> bool:
        return self._last is not None and not self._last.done()

    def begin(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Once the errands before it are done."""
        done: asyncio.Future[T] = self._loop.create_future()
        self._last = done
        self._errands.put(partial(self._do, work, done))
        return done

    def dismiss(self) -> None:
        """It ends when its errands are done."""
        self._errands.put(None)

    def join(self) -> None:
        """After it was dismissed and when it is not busy: then it is at its end."""
        self._thread.join()

    def _go(self) -> None:
        while errand := self._errands.get():
            errand()

    def _do(self, work: Callable[[], T], done: "asyncio.Future[T]") -> None:
        try:
            tell = partial(_give, done, work())
        except BaseException as error:  # noqa: BLE001  (raised where it is awaited; Rust may panic)
            tell = partial(_fail, done, error)
        with suppress(RuntimeError):  # the loop is closed, for the thread was left behind
            self._loop.call_soon_threadsafe(tell)


class Turns:
    """One errand after the other; who is late keeps nobody waiting for longer than that."""

    def __init__(self, name: str, *, late_s: float = LATE_S) -> None:
        self._name = name
        self._late_s = late_s
        self._turn = asyncio.Semaphore(1)
        self._callers = 0
        self._late = 0
        """Errands that are late and not over. While there is one, nobody waits for another's."""
        self._hand: Hand | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`. A caller who is cancelled leaves it to its thread."""
        self._callers += 1
        try:
            async with self._turn:
                done = self._begin(work)
                try:
                    patience_s = 0.0 if self._late else self._late_s
                    await asyncio.wait({done}, timeout=patience_s)
                except asyncio.CancelledError:
                    done.cancel()
                    raise
                finally:
                    if not done.done() or done.cancelled():
                        self._dismiss()
        finally:
            self._callers -= 1
            if not self._callers:
                self._dismiss()
        self._late += 1
        try:
            return await done
        finally:
            self._late -= 1

    def _begin(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        if self._hand is None:
            self._hand = Hand(self._name)
        return self._hand.begin(work)

    def _dismiss(self) -> None:
        if self._hand is not None:
            self._hand.dismiss()
            self._hand = None


_READING: "WeakKeyDictionary[asyncio.AbstractEventLoop, Turns]" = WeakKeyDictionary()


async def read(work: Callable[[], T]) -> T:
    """Reads files, in turn with all others on this event loop."""
    turns = _READING.setdefault(asyncio.get_running_loop(), Turns("reading"))
    return await turns.run(work)


def _give(done: "asyncio.Future[T]", result: T) -> None:
    if not done.done():  # somebody still waits for it
        done.set_result(result)


def _fail(done: "asyncio.Future[T]", error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
