"""What is told, and above all what is not."""

import asyncio
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import generate_latest

from adapters.outcome import Reason
from proxy.telemetry import Telemetry
from proxy.telemetry.faults import described
from proxy.telemetry.log import Log, capture_libraries
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.records import (
    ConfigurationState,
    Outcome,
    Question,
    QuestionRecord,
    RefusalRecord,
)

CANARY = "canary-447700900123"
_BUCKET = "bss_sidecar_question_duration_seconds_bucket"


def record(outcome: Outcome = Outcome.DEGRADED, reason: Reason | None = Reason.TLS) -> Any:
    return QuestionRecord(
        question=Question.DISPUTES,
        correlation_id="one",
        tenant="acme",
        connection="vendor",
        ids=3,
        outcome=outcome,
        reason=reason,
        duration_s=0.01234,
    )


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def break_down() -> None:
    raise ValueError(CANARY)


def fault() -> Exception:
    with pytest.raises(ValueError, match=CANARY) as raised:
        break_down()
    return raised.value


@pytest.fixture
def captured() -> Iterator[io.StringIO]:
    """The log that all libraries speak through, until the end of the test."""
    root = logging.getLogger()
    kept = (list(root.handlers), root.level, sys.excepthook, sys.unraisablehook)
    in_thread = threading.excepthook
    stream = io.StringIO()
    capture_libraries(Log(stream, level="debug"))
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level, sys.excepthook, sys.unraisablehook = kept
    threading.excepthook = in_thread


def test_a_question_is_one_line_with_what_an_operator_needs() -> None:
    stream = io.StringIO()
    Telemetry(Log(stream), Metrics()).answered(record())
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "question",
        "question": "disputes",
        "correlation_id": "one",
        "tenant": "acme",
        "connection": "vendor",
        "ids": 3,
        "outcome": "degraded",
        "degraded": "tls",
        "duration_ms": 12.3,
    }


def test_a_question_that_failed_is_an_error() -> None:
    stream = io.StringIO()
    Telemetry(Log(stream), Metrics()).answered(record(Outcome.FAILED, None))
    assert lines(stream)[0]["level"] == "error"


def test_a_refusal_says_what_was_wrong() -> None:
    stream = io.StringIO()
    telemetry = Telemetry(Log(stream), Metrics())
    telemetry.refused(
        RefusalRecord(listener="data", correlation_id="one", problem="invalid", status=422)
    )
    (line,) = lines(stream)
    assert (line["event"], line["problem"], line["status"]) == ("refused", "invalid", 422)
    text = generate_latest(telemetry.metrics.registry).decode()
    assert 'bss_sidecar_refused_requests_total{listener="data",problem="invalid"} 1.0' in text


def test_an_error_is_its_type_and_its_place_and_never_its_text() -> None:
    stream = io.StringIO()
    telemetry = Telemetry(Log(stream, level="debug"), Metrics())
    telemetry.error(fault())
    telemetry.error(ExceptionGroup(CANARY, [fault(), ExceptionGroup("", [KeyError(CANARY)])]))
    telemetry.adapter_failed("vendor", "ValueError")
    first, second, third = lines(stream)
    assert first["error"] == "ValueError"
    assert first["at"].startswith("test_telemetry.py:break_down:")
    assert second["error"] == "KeyError+ValueError"
    assert (third["connection"], third["error"]) == ("vendor", "ValueError")
    assert CANARY not in stream.getvalue()
    assert described(KeyError(CANARY))["at"] == "-"
    text = generate_latest(telemetry.metrics.registry).decode()
    assert "bss_sidecar_unforeseen_errors_total 3.0" in text


def test_a_level_hides_what_is_below_it_and_may_change_while_we_run() -> None:
    stream = io.StringIO()
    log = Log(stream, level="warning")
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    log.configure(level="debug", style="json")
    log.debug("e")
    assert [line["event"] for line in lines(stream)] == ["c", "d", "e"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_lines_for_people_unless_json_is_asked_for() -> None:
    for style, is_json in (("auto", False), ("console", False), ("json", True)):
        stream = Terminal()
        Log(stream, style=style).info("hello", name="you")  # type: ignore[arg-type]
        assert stream.getvalue().startswith("{") is is_json
        assert "hello" in stream.getvalue()
    plain = io.StringIO()
    Log(plain, style="console").info("hello")
    assert "\x1b" not in plain.getvalue()


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_log_that_nobody_reads_costs_no_answer() -> None:
    Log(Broken()).info("question")
    closed = io.StringIO()
    log = Log(closed)
    closed.close()
    log.info("question")


def test_libraries_speak_without_their_words(captured: io.StringIO) -> None:
    library = logging.getLogger("aiohttp.server")
    library.info("a detail of %s", CANARY)
    library.warning("about %s", CANARY)
    try:
        break_down()
    except ValueError:
        library.exception(CANARY)
    warning, error = lines(captured)
    assert (warning["level"], warning["library"]) == ("warning", "aiohttp.server")
    assert warning["at"].startswith("test_telemetry.py:")
    assert (error["level"], error["error"]) == ("error", "ValueError")
    assert CANARY not in captured.getvalue()


def test_warnings_and_errors_of_the_last_resort_are_scrubbed_too(captured: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(CANARY, stacklevel=1)
    threading.excepthook(threading.ExceptHookArgs((ValueError, fault(), None, None)))
    sys.excepthook(ValueError, fault(), None)

    class Unraisable:
        exc_value = fault()

    sys.unraisablehook(Unraisable())  # type: ignore[arg-type]
    assert [line["event"] for line in lines(captured)] == [
        "library_spoke",
        "thread_failed",
        "uncaught",
        "unraisable",
    ]
    assert CANARY not in captured.getvalue()


async def test_what_asyncio_says_of_a_lost_task_is_scrubbed(captured: io.StringIO) -> None:
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": CANARY, "exception": fault()})
    (line,) = lines(captured)
    assert (line["library"], line["error"]) == ("asyncio", "ValueError")
    assert CANARY not in captured.getvalue()


def test_the_figures_count_questions_by_how_they_ended() -> None:
    metrics = Metrics()
    metrics.asked(Question.DISPUTES)
    metrics.asked(Question.DISPUTES)
    metrics.answered(record())
    metrics.configured(ConfigurationState.OUTDATED)
    text = generate_latest(metrics.registry).decode()
    for line in (
        'bss_sidecar_questions_total{connection="vendor",outcome="degraded",question="disputes"}',
        'bss_sidecar_degraded_answers_total{connection="vendor",reason="tls"} 1.0',
        'bss_sidecar_questions_in_flight{question="disputes"} 1.0',
        'bss_sidecar_questions_in_flight{question="forget"} 0.0',
        _BUCKET + '{connection="vendor",le="0.01",question="disputes"} 0.0',
        _BUCKET + '{connection="vendor",le="0.025",question="disputes"} 1.0',
        'bss_sidecar_configuration{state="outdated"} 1.0',
        'bss_sidecar_configuration{state="good"} 0.0',
        'bss_sidecar_build_info{version="',
    ):
        assert line in text


def test_no_series_tells_when_another_one_began() -> None:
    metrics = Metrics()
    metrics.asked(Question.DISPUTES)
    metrics.answered(record())
    assert "_created" not in generate_latest(metrics.registry).decode()


def test_no_metric_carries_a_tenant_or_an_id() -> None:
    metrics = Metrics()
    metrics.asked(Question.DISPUTES)
    metrics.answered(record())
    text = generate_latest(metrics.registry).decode()
    assert "acme" not in text
    assert "one" not in text.replace("None", "").split()
