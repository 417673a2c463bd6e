"""The log: one structured stream on standard output. Libraries speak through it too, scrubbed."""

import logging
import select
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict

from proxy.telemetry.faults import described

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class Log:
    """Writes events with fields, as JSON or for a terminal."""

    def __init__(
        self,
        stream: TextIO,
        *,
        level: Literal["debug", "info", "warning", "error"] = "info",
        style: Literal["auto", "json", "console"] = "auto",
    ) -> None:
        self._stream = stream
        self._out = _Patient(stream)
        self.configure(level=level, style=style)

    def configure(
        self,
        *,
        level: Literal["debug", "info", "warning", "error"],
        style: Literal["auto", "json", "console"],
    ) -> None:
        """Takes effect with the next event."""
        self.level = _LEVELS[level]
        on_terminal = self._stream.isatty()
        for_terminal = style == "console" or (style == "auto" and on_terminal)
        self._logger = structlog.wrap_logger(
            self._out,
            processors=[
                self._note_loss,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _what_first,
                structlog.dev.ConsoleRenderer(colors=on_terminal)
                if for_terminal
                else structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(self.level),
            context_class=dict,
        )

    @property
    def dropped_lines(self) -> int:
        """Lines that could not be written, since the beginning."""
        return self._out.dropped

    def write(self, line: str) -> bool:
        """One line as it is, at any level; false: there was no room for it."""
        return self._out.write(line)

    def _note_loss(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        if self._out.lost:
            event["lines_lost"] = self._out.lost
        return event

    def debug(self, event: str, **fields: object) -> None:
        self._logger.debug(event, **fields)

    def info(self, event: str, **fields: object) -> None:
        self._logger.info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        self._logger.warning(event, **fields)

    def error(self, event: str, **fields: object) -> None:
        self._logger.error(event, **fields)


def _what_first(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """When, how bad and what, before the fields: as a person reads a line."""
    return {name: event.pop(name) for name in ("timestamp", "level", "event")} | dict(event)


class _Patient:
    """A stream that nobody reads any more, or a full disk, costs lines and never an answer."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._room: select.poll | None = None
        with suppress(OSError, ValueError):  # a stream without a descriptor never blocks
            descriptor = stream.fileno()
            self._room = select.poll()
            self._room.register(descriptor, select.POLLOUT)
        self.lost = 0
        """Lines since the last one that was written."""
        self.dropped = 0
        """Lines since the beginning."""

    def msg(self, text: str) -> None:
        if self.write(text):
            self.lost = 0

    def write(self, text: str) -> bool:
        """Whether it is written."""
        # Who collects the log may be alive and stuck. A pipe that polls as writable takes
        # PIPE_BUF bytes (4096 on Linux) without blocking, and a line is shorter than that.
        if self._room is not None and not self._room.poll(0):
            return self._lose()
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return self._lose()
        return True

    def _lose(self) -> bool:
        self.lost += 1
        self.dropped += 1
        return False

    debug = info = warning = error = msg


class LibraryHandler(logging.Handler):
    """What libraries log, without their words: who, how bad, where, and which exception."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        fields = {
            "library": record.name,
            "at": f"{record.filename}:{record.funcName}:{record.lineno}",
        }
        if record.exc_info and record.exc_info[1] is not None:
            fields |= described(record.exc_info[1])
        tell = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        tell("library_spoke", **fields)


def capture_libraries(log: Log) -> None:
    """Routes every logger, warning and last-resort exception of this process to the log."""
    root = logging.getLogger()
    root.handlers[:] = [LibraryHandler(log)]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)

    def unraisable(event: Any) -> None:
        if event.exc_value is not None:
            log.error("unraisable", **described(event.exc_value))

    def in_thread(event: threading.ExceptHookArgs) -> None:
        if event.exc_value is not None:
            log.error("thread_failed", **described(event.exc_value))

    def uncaught(
        _kind: type[BaseException], error: BaseException, _traceback: TracebackType | None
    ) -> None:
        log.error("uncaught", **described(error))

    sys.unraisablehook = unraisable
    threading.excepthook = in_thread
    sys.excepthook = uncaught
