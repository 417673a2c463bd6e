"""Standard output, as what the log writes to: it may be a pipe, a terminal or a file.

Whoever reads it may be slow, stuck or gone, and a disk behind it full or hung.
"""

import os
import select
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import accumulate
from typing import TextIO

from proxy.telemetry.writer import Done, LineWriter

AT_ONCE_BYTES = 4_096
"""PIPE_BUF of Linux: what others write into the same pipe never comes between so many bytes."""


class DescriptorSink:
    """Whole lines to a descriptor of the system. Waits as long as it takes."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._room = select.poll()
        self._room.register(descriptor, select.POLLOUT)
        self._is_torn = False

    @property
    def has_room(self) -> bool:
        """Whether a pipe takes `AT_ONCE_BYTES` without waiting for its reader."""
        return bool(self._room.poll(0))

    def write(self, lines: Sequence[bytes]) -> int:
        """As many as fit into `AT_ONCE_BYTES`, or one that is longer; how many."""
        ends = [*accumulate(len(line) for line in lines)]
        many = max(1, sum(end <= AT_ONCE_BYTES for end in ends))
        # The half of a line that a full disk took is closed before anything else comes.
        prefix = b"\n" if self._is_torn else b""
        content = prefix + b"".join(lines[:many])
        out, failure = self._push(content)
        self._is_torn = content[:out][-1:] != b"\n" if out else self._is_torn
        if failure is None:
            return many
        whole = sum(end + len(prefix) <= out for end in ends[:many])
        if not whole:
            raise failure
        return whole

    def close(self) -> None:
        """It belongs to the process, not to us."""

    def _push(self, content: bytes) -> tuple[int, OSError | None]:
        """How many bytes are out, and what kept the others."""
        out = 0
        while out < len(content):
            try:
                out += os.write(self._descriptor, content[out:])
            except BlockingIOError:  # somebody who shares it made it so
                self._room.poll()
            except OSError as error:
                return out, error
        return out, None


class Stream:
    """Takes lines without waiting for anything, and counts those that are lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = stream.encoding or "utf-8"
        self._sink: DescriptorSink | None = None
        self._writer: LineWriter | None = None
        with suppress(OSError, ValueError):  # a stream without a descriptor never blocks
            self._sink = DescriptorSink(stream.fileno())
            self._writer = LineWriter(self._sink, name="log")
        self._counting = threading.RLock()
        self._lost = 0
        self.dropped = 0
        """Lines that are lost, since the beginning."""

    @property
    def has_lost(self) -> bool:
        """Lines of which no line has told yet."""
        return bool(self._lost)

    def take_lost(self) -> int:
        """Lines lost since the last one that told of losses; the next line will."""
        if not self._lost:
            return 0
        with self._counting:
            told, self._lost = self._lost, 0
        return told

    def msg(self, text: str, *, told: int) -> None:
        """A line that tells of so many that are lost."""
        self._put(text, partial(self._untold, told) if told else self._done)

    debug = info = warning = error = msg

    def write(self, text: str, done: Done) -> None:
        """A line as it is; `done` hears what became of it, from any thread."""

        def heard(error: OSError | None) -> None:
            self._done(error)
            done(error)

        self._put(text, heard)

    def end(self, within_s: float) -> None:
        """Waits so long at most until what was put is out."""
        if self._writer is not None:
            with self._counting:
                self._writer.end()
            self._writer.wait(within_s)

    def _put(self, text: str, done: Done) -> None:
        line = text.encode(self._encoding, "replace") + b"\n"
        with self._counting:
            if self._writer is not None and self._writer.is_running:
                if not self._writer.put(line, done):
                    done(_full())
                return
        try:
            self._write_now(line)
        except (OSError, ValueError) as error:  # `ValueError`: the stream is closed
            done(error if isinstance(error, OSError) else _full())
        else:
            done(None)

    def _write_now(self, line: bytes) -> None:
        if self._sink is None:
            self._stream.write(line.decode(self._encoding))
            self._stream.flush()
        elif self._sink.has_room:
            self._sink.write([line])
        else:
            raise _full()

    def _untold(self, told: int, error: OSError | None) -> None:
        """A line that told of losses is out, or is lost itself: then another one has to tell."""
        if error is not None:
            with self._counting:
                self._lost += told
        self._done(error)

    def _done(self, error: OSError | None) -> None:
        if error is not None:
            with self._counting:
                self._lost += 1
                self.dropped += 1


def _full() -> OSError:
    return BlockingIOError("nobody takes the lines that wait")
