"""The log: one structured stream on standard output. Libraries speak through it too, scrubbed."""

import json
import logging
import sys
import threading
import time
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as _quoted
from types import TracebackType
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

from proxy.telemetry.faults import described
from proxy.telemetry.records import Outcome, QuestionRecord
from proxy.telemetry.stream import Stream
from proxy.telemetry.writer import Done

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


_ENCODER: Final = json.JSONEncoder(default=repr)
_QUESTION: Final = (
    '{"timestamp": "%sZ", "level": "info", "event": "question", "question": "%s", '
    '"correlation_id": %s, "tenant": "%s", "connection": "%s", "ids": %d, "outcome": "%s", '
    '"degraded": %s, "duration_ms": %s}'
)
"""What is quoted as it is comes from closed lists, or is a configured name: letters, digits, _-."""


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
        self._out = Stream(stream)
        self._second = 0
        self._prefix = ""
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
        self._is_plain_json = not for_terminal and self.level <= logging.INFO
        self._render: Processor = (
            structlog.dev.ConsoleRenderer(colors=on_terminal)
            if for_terminal
            else structlog.processors.JSONRenderer(serializer=_as_json)
        )
        self._logger = structlog.wrap_logger(
            self._out,
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                self._as_line,
            ],
            wrapper_class=structlog.make_filtering_bound_logger(self.level),
            context_class=dict,
        ).bind()

    @property
    def dropped_lines(self) -> int:
        """Lines that could not be written, since the beginning."""
        return self._out.dropped

    def write(self, line: str, done: Done) -> None:
        """One line as it is, at any level; `done` hears, from any thread, what became of it."""
        self._out.write(line, done)

    def end(self, within_s: float) -> None:
        """Waits so long at most until what was said is out. Not on the event loop.

        Who speaks afterwards still writes, if there is room at that moment.
        """
        self._out.end(within_s)

    def _as_line(
        self, logger: Any, method: str, event: EventDict
    ) -> tuple[tuple[Any], dict[str, int]]:
        """What the stream's `msg` is called with."""
        line = _what_first(event)
        if told := self._out.take_lost():
            line["lines_lost"] = told
        return (self._render(logger, method, line),), {"told": told}

    def question(self, record: QuestionRecord) -> None:
        """How a question ended, at `info`, or at `error` if that was the sidecar's mistake.

        It is said thousands of times a second, so where lines are JSON it is written down at once,
        to the letter as any other event would be.
        """
        if record.outcome is Outcome.FAILED:
            self.error("question", **_of_question(record))
        elif not self._is_plain_json or self._out.has_lost:
            self.info("question", **_of_question(record))
        else:
            self._out.msg(
                _QUESTION
                % (
                    self._stamp(),
                    record.question,
                    _quoted(record.correlation_id),
                    record.tenant,
                    record.connection,
                    record.ids,
                    record.outcome,
                    "null" if record.reason is None else f'"{record.reason}"',
                    round(record.duration_s * 1000, 1),
                ),
                told=0,
            )

    def _stamp(self) -> str:
        """Now, as `isoformat` writes it, of which all but the last digits is the same for long."""
        now = time.time_ns() // 1000
        second, micros = divmod(now, 1_000_000)
        if second != self._second:
            self._second = second
            self._prefix = datetime.fromtimestamp(second, UTC).isoformat()[:-6]
        return f"{self._prefix}.{micros:06d}"

    def debug(self, event: str, **fields: object) -> None:
        self._logger.debug(event, **fields)

    def info(self, event: str, **fields: object) -> None:
        self._logger.info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        self._logger.warning(event, **fields)

    def error(self, event: str, **fields: object) -> None:
        self._logger.error(event, **fields)


def _as_json(event: object, **_: object) -> str:
    """`json.dumps` with a `default` makes an encoder for each line."""
    return _ENCODER.encode(event)


def _of_question(record: QuestionRecord) -> dict[str, object]:
    return {
        "question": record.question.value,
        "correlation_id": record.correlation_id,
        "tenant": record.tenant,
        "connection": record.connection,
        "ids": record.ids,
        "outcome": record.outcome.value,
        "degraded": None if record.reason is None else record.reason.value,
        "duration_ms": round(record.duration_s * 1000, 1),
    }


def _what_first(event: EventDict) -> EventDict:
    """When, how bad and what, before the fields: as a person reads a line."""
    return {name: event.pop(name) for name in ("timestamp", "level", "event")} | dict(event)


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
