"""Lines on their way to where reading or storing them may be slow, stuck or over.

Whoever says a line only puts it into a queue. One thread takes them out in their order and waits
for the pipe or the disk, which may hang; the event loop never does.
"""

import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol, TypeAlias

WAITING = 4_096
"""Lines that may wait; of those that come meanwhile, none is kept."""
_AT_ONCE = 256
GATHER_S = 0.01
"""How long a line waits for others: to wake the thread for each costs more than to say it."""

Done: TypeAlias = Callable[[OSError | None], None]
"""Hears, from the thread, that a line is out, or why it is lost."""


class Sink(Protocol):
    """Where lines end. Only the writer's thread calls it."""

    def write(self, lines: Sequence[bytes]) -> int:
        """How many of them, from the first one on, are out; at least one.

        Raises `OSError` when none is: then all of them are lost.
        """
        ...

    def close(self) -> None: ...


class LineWriter:
    """Takes lines without waiting for anything."""

    def __init__(self, sink: Sink, *, name: str, waiting: int = WAITING) -> None:
        self._sink = sink
        self._waiting = waiting
        # A destructor that speaks while another line is put would wait for ever at any queue with
        # a lock of its own; this kind may be entered again.
        self._queue: queue.SimpleQueue[tuple[bytes, Done] | None] = queue.SimpleQueue()
        self._ends = threading.Event()
        self._is_over = False
        self._process = os.getpid()
        # What hangs may not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether lines still go out: not after the end, nor in a forked child."""
        return not self._is_over and not self._ends.is_set() and self._process == os.getpid()

    def put(self, line: bytes, done: Done) -> bool:
        """False: there is no room, the line is lost, and `done` does not hear of it."""
        if self._queue.qsize() >= self._waiting:
            return False
        self._queue.put((line, done))
        return True

    def end(self) -> None:
        """What waits is still written; nobody waits for that."""
        self._ends.set()
        self._queue.put(None)

    def wait(self, within_s: float) -> bool:
        """Whether all that waited is out."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not (self._ends.is_set() and self._queue.empty()):
                if taken := self._next():
                    self._write(taken)
            self._sink.close()
        finally:
            self._is_over = True

    def _next(self) -> list[tuple[bytes, Done]]:
        """What waits, `_AT_ONCE` lines at most; sleeps until there is anything."""
        taken = [self._queue.get()]
        if self._queue.qsize() < _AT_ONCE:
            self._ends.wait(GATHER_S)
        with suppress(queue.Empty):
            while len(taken) < _AT_ONCE:
                taken.append(self._queue.get_nowait())
        return [one for one in taken if one is not None]

    def _write(self, taken: Sequence[tuple[bytes, Done]]) -> None:
        while taken:
            try:
                out = self._sink.write([line for line, _ in taken])
            except OSError as error:
                for _, done in taken:
                    done(error)
                return
            for _, done in taken[:out]:
                done(None)
            taken = taken[out:]
