"""Lines on their way to a file that may be slow, full or gone, by a thread of their own."""

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

WAITING = 4_096
"""Lines that may wait for the disk; of those that come meanwhile, none is kept."""
_AT_ONCE = 256


class Sink(Protocol):
    """Where lines end. Only the writer's thread calls it."""

    def write(self, lines: Sequence[bytes]) -> None:
        """All of them, or `OSError`."""
        ...

    def close(self) -> None: ...


class AuditWriter:
    """Takes lines without waiting for anything."""

    def __init__(
        self, sink: Sink, *, done: Callable[[int, OSError | None], None], waiting: int = WAITING
    ) -> None:
        """`done` hears from the thread how many lines were written, or not and why."""
        self._sink = sink
        self._done = done
        self._queue: queue.Queue[bytes | None] = queue.Queue(waiting)
        self._ends = threading.Event()
        # A disk that hangs may not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> bool:
        """False: there is no room, and the line is lost."""
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            return False
        return True

    def end(self) -> None:
        """What waits is still written; nobody waits for that."""
        self._ends.set()
        with suppress(queue.Full):  # it is awake, and finds out by itself
            self._queue.put_nowait(None)

    def wait(self, within_s: float) -> bool:
        """Whether all that waited is out."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            lines = self._next()
            if lines:
                self._write(lines)
            if self._ends.is_set() and self._queue.empty():
                self._sink.close()
                return

    def _next(self) -> list[bytes]:
        """What waits, `_AT_ONCE` lines at most; sleeps until there is anything."""
        lines = [self._queue.get()]
        while len(lines) < _AT_ONCE and not self._queue.empty():
            lines.append(self._queue.get_nowait())
        return [line for line in lines if line is not None]

    def _write(self, lines: Sequence[bytes]) -> None:
        try:
            self._sink.write(lines)
        except OSError as error:
            self._done(len(lines), error)
        else:
            self._done(len(lines), None)
