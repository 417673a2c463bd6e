"""What the audit trail says of questions and refusals, and what it never says."""

import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from adapters.outcome import Reason
from proxy.telemetry import Telemetry
from proxy.telemetry.audit import Trail
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.records import Aggregate, Outcome, Question, QuestionRecord, RefusalRecord
from proxy.telemetry.writer import WAITING

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
WAIT_S = 10.0


def record(**changed: Any) -> QuestionRecord:
    told: dict[str, Any] = {
        "question": Question.REVENUE_AT_RISK,
        "correlation_id": "c-1",
        "tenant": "acme",
        "connection": "amdocs",
        "ids": 7,
        "outcome": Outcome.DEGRADED,
        "reason": Reason.TLS,
        "duration_s": 0.1,
    }
    return QuestionRecord(**(told | changed))


def aggregate(priced: int) -> Aggregate:
    return Aggregate(total_revenue_at_risk=7310.5, priced_customer_count=priced, currency="GBP")


class Heard:
    """A trail among the lines of a log."""

    def __init__(self, level: Any = "info") -> None:
        self.stream = io.StringIO()
        self.registry = CollectorRegistry()
        log = Log(self.stream, style="json", level=level)
        self.trail = Trail(log, self.registry, clock=lambda: NOW)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def count(self, outcome: str) -> float | None:
        return self.registry.get_sample_value("bss_sidecar_audit_lines_total", {"outcome": outcome})


@pytest.fixture
def heard() -> Heard:
    made = Heard()
    made.trail.configure("stdout")
    return made


def test_each_question_is_one_line_with_what_an_auditor_asks(heard: Heard) -> None:
    heard.trail.answered(record(aggregate=aggregate(5)))
    assert heard.lines() == [
        {
            "timestamp": "2026-03-01T12:00:00.123Z",
            "event": "audit",
            "correlation_id": "c-1",
            "tenant": "acme",
            "connection": "amdocs",
            "question": "revenue_at_risk",
            "ids": 7,
            "outcome": "degraded",
            "degraded": "tls",
            "total_revenue_at_risk": 7310.5,
            "priced_customer_count": 5,
            "currency": "GBP",
        }
    ]
    assert heard.count("written") == 1


@pytest.mark.parametrize("priced", range(5))
def test_the_aggregate_of_fewer_than_five_is_somebodys_fee(heard: Heard, priced: int) -> None:
    heard.trail.answered(record(aggregate=aggregate(priced)))
    assert "7310" not in heard.stream.getvalue()
    assert "total_revenue_at_risk" not in heard.lines()[0]


@pytest.mark.parametrize("question", Question)
@pytest.mark.parametrize("outcome", Outcome)
def test_every_question_and_every_end_of_it_is_told(
    heard: Heard, question: Question, outcome: Outcome
) -> None:
    heard.trail.answered(record(question=question, outcome=outcome, reason=None))
    (line,) = heard.lines()
    assert (line["question"], line["outcome"], line["degraded"]) == (question, outcome, None)


def test_who_was_turned_away_at_the_data_listener_is_told_without_a_name(heard: Heard) -> None:
    for listener in ("data", "ops", "admin"):
        refusal = RefusalRecord(
            listener=listener, correlation_id="c-2", problem="unauthorized", status=401
        )
        heard.trail.refused(refusal)
    assert heard.lines() == [
        {
            "timestamp": "2026-03-01T12:00:00.123Z",
            "event": "audit",
            "correlation_id": "c-2",
            "outcome": "refused",
            "problem": "unauthorized",
            "status": 401,
        }
    ]


def test_it_is_off_until_somebody_wants_it_and_needs_no_level() -> None:
    heard = Heard(level="error")
    heard.trail.answered(record())
    assert heard.lines() == []
    heard.trail.configure("stdout")
    heard.trail.answered(record())
    assert len(heard.lines()) == 1
    heard.trail.configure("off")
    heard.trail.refused(
        RefusalRecord(listener="data", correlation_id="x", problem="invalid", status=422)
    )
    assert len(heard.lines()) == 1


def test_a_correlation_id_that_is_personal_is_scrubbed_and_the_manifest_says_so(
    heard: Heard,
) -> None:
    heard.trail.answered(record(correlation_id="call-from-+447700900123", tenant="acme"))
    (line,) = heard.lines()
    assert "7700900123" not in heard.stream.getvalue()
    assert line["correlation_id"] == "call-from-[PHONE_REDACTED]"
    (row,) = line["scrubbed"]
    assert (row["field_type"], row["path"]) == ("msisdn", "correlation_id")


@given(st.text(max_size=300), st.text(max_size=100))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_a_caller_sends_makes_a_second_line_or_a_long_one(
    correlation_id: str, tenant: str
) -> None:
    heard = Heard()
    heard.trail.configure("stdout")
    heard.trail.answered(record(correlation_id=correlation_id, tenant=tenant))
    written = heard.stream.getvalue()
    assert written.count("\n") == 1
    assert written.isascii()
    assert len(written) < 4096
    assert json.loads(written)["event"] == "audit"


def test_a_file_gets_the_lines_and_the_log_none(tmp_path: Path) -> None:
    heard = Heard()
    path = tmp_path / "audit.jsonl"
    heard.trail.configure("file", file=path, file_size=1_000_000, former_files=1)
    for number in range(50):
        heard.trail.answered(record(ids=number))
    heard.trail.end(WAIT_S)
    assert [json.loads(line)["ids"] for line in path.read_text().splitlines()] == list(range(50))
    assert heard.lines() == []
    assert heard.count("written") == 50


def test_another_file_takes_over_and_what_waited_is_in_the_former_one(tmp_path: Path) -> None:
    heard = Heard()
    names = [tmp_path / name for name in ("one", "two")]
    for number, name in enumerate(names):
        heard.trail.configure("file", file=name, file_size=1_000_000, former_files=1)
        heard.trail.configure("file", file=name, file_size=1_000_000, former_files=1)
        writer = heard.trail._writer
        heard.trail.answered(record(ids=number))
        heard.trail.configure("off")
        assert writer is not None
        assert writer.wait(WAIT_S)
    assert [json.loads(name.read_text())["ids"] for name in names] == [0, 1]


def test_a_file_that_can_not_be_written_costs_lines_and_is_told_once(tmp_path: Path) -> None:
    heard = Heard()
    path = tmp_path / "none" / "audit.jsonl"
    heard.trail.configure("file", file=path, file_size=1_000_000, former_files=1)
    writer = heard.trail._writer
    assert writer is not None
    for _ in range(3):
        heard.trail.answered(record())
    heard.trail.end(WAIT_S)
    assert [line["event"] for line in heard.lines()] == ["audit_failing"]
    assert heard.lines()[0]["error"] == "ENOENT"
    assert heard.count("dropped") == 3


def test_a_pipe_that_nobody_reads_costs_lines_which_are_counted() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream, os.fdopen(reading, "rb") as reader:
        log = Log(stream, style="json")
        trail = Trail(log, registry := CollectorRegistry())
        trail.configure("stdout")
        asked = WAITING + 1_000
        for _ in range(asked):
            trail.answered(record())
        with ThreadPoolExecutor() as threads:
            read = threads.submit(reader.read)
            log.end(WAIT_S)
            stream.close()
            written = read.result().count(b"\n")
    counts = [
        registry.get_sample_value("bss_sidecar_audit_lines_total", {"outcome": outcome})
        for outcome in ("written", "dropped")
    ]
    assert counts == [written, asked - written]
    assert counts[1]


def test_the_journal_tells_the_trail_of_questions_and_refusals() -> None:
    stream = io.StringIO()
    telemetry = Telemetry(Log(stream, style="json", level="error"), Metrics())
    telemetry.audit.configure("stdout")
    telemetry.answered(record())
    telemetry.refused(
        RefusalRecord(listener="data", correlation_id="x", problem="invalid", status=422)
    )
    outcomes = [json.loads(line)["outcome"] for line in stream.getvalue().splitlines()]
    assert outcomes == ["degraded", "refused"]


def test_no_aggregate_is_in_a_repr() -> None:
    assert "7310" not in repr(record(aggregate=aggregate(9)))
