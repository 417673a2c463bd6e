"""The figures: what they count, whom they name, and what writing them costs others."""

import asyncio
import io
import shutil
import subprocess
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from adapters.lookup import wall_clock
from adapters.outcome import Reason
from proxy.app import Sidecar
from proxy.telemetry import Telemetry
from proxy.telemetry.expositions import CredentialFigures, FileFigures, LogFigures
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.records import (
    CertificateRecord,
    CredentialsRecord,
    FileRecord,
    Outcome,
    Question,
    QuestionRecord,
)
from proxy.telemetry.rendering import PIECE, rendered
from proxy.telemetry.requests import RequestMeter

NOW = datetime(2026, 11, 22, 3, 12, 7, tzinfo=UTC)
TENANTS = ("northern_mobile", "eastern_cable")
RECORD = QuestionRecord(
    question=Question.DISPUTES,
    correlation_id="one",
    tenant=TENANTS[0],
    connection="amdocs",
    ids=3,
    outcome=Outcome.DEGRADED,
    reason=Reason.TLS,
    duration_s=0.3,
)
BAD = FileRecord(kind="credentials", connection="amdocs", file="tls.crt", what="", remedy="")


def text_of(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def answered(metrics: Metrics, **change: Any) -> None:
    metrics.answered(replace(RECORD, **change))


def test_a_tenant_is_named_only_where_an_operator_wants_it() -> None:
    metrics = Metrics()
    answered(metrics)
    assert TENANTS[0] not in text_of(metrics)
    metrics.tenants.count(TENANTS)
    answered(metrics)
    answered(metrics, outcome=Outcome.ANSWERED, reason=None)
    text = text_of(metrics)
    of_tenant = f'question="disputes",tenant="{TENANTS[0]}"'
    for line in (
        f'tenant_questions_total{{outcome="degraded",{of_tenant}}} 1.0',
        f'tenant_questions_total{{outcome="answered",{of_tenant}}} 1.0',
        f'tenant_degraded_answers_total{{reason="tls",tenant="{TENANTS[0]}"}} 1.0',
    ):
        assert f"bss_sidecar_{line}" in text


def test_a_tenant_that_is_configured_no_more_is_on_the_page_no_more() -> None:
    metrics = Metrics()
    metrics.tenants.count(TENANTS)
    for tenant in TENANTS:
        answered(metrics, tenant=tenant)
    metrics.tenants.count(TENANTS[:1])
    answered(metrics, tenant=TENANTS[1])  # asked before, answered after
    assert TENANTS[0] in text_of(metrics)
    assert TENANTS[1] not in text_of(metrics)
    metrics.tenants.count(())
    assert TENANTS[0] not in text_of(metrics)


@given(
    st.lists(st.one_of(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("abcdef")))),
)
def test_there_are_never_more_series_than_configured_tenants(
    story: list[str | Collection[str]],
) -> None:
    metrics = Metrics()
    configured: Collection[str] = ()
    for step in story:
        if isinstance(step, str):
            answered(metrics, tenant=step)
        else:
            configured = step
            metrics.tenants.count(configured)
        named = {
            sample.labels["tenant"]
            for family in metrics.registry.collect()
            for sample in family.samples
            if "tenant" in sample.labels
        }
        assert named <= set(configured)


def test_time_to_the_answer_is_told_of_each_connection() -> None:
    metrics = Metrics()
    answered(metrics)
    answered(metrics, connection="csg", duration_s=3.0)
    of = "bss_sidecar_question_duration_seconds_bucket"
    text = text_of(metrics)
    assert f'{of}{{connection="amdocs",le="2.0",question="disputes"}} 1.0' in text
    assert f'{of}{{connection="csg",le="2.0",question="disputes"}} 0.0' in text


def test_requests_for_tokens_are_counted_by_how_they_ended() -> None:
    metrics = Metrics()
    meter = RequestMeter(metrics.requests.tokens, "amdocs")
    of = 'bss_sidecar_token_requests_total{connection="amdocs"'
    assert f'{of},outcome="ok"}} 0.0' in text_of(metrics)
    meter.exchanged(None, 0.1)
    for _ in range(2):
        meter.exchanged(Reason.AUTH, 0.1)
    meter.retried()
    meter.hedged()
    meter.reconnected()
    assert f'{of},outcome="ok"}} 1.0' in text_of(metrics)
    assert f'{of},outcome="auth"}} 2.0' in text_of(metrics)
    assert text_of(metrics).count("bss_sidecar_token_requests_total{") == 2


def test_bad_files_are_counted_by_what_they_are_and_mended_ones_are_none() -> None:
    registry = CollectorRegistry()
    serving = CredentialsRecord(
        connection="amdocs", files=(BAD, replace(BAD, file="tls.key"), replace(BAD, serious=False))
    )
    others = [replace(BAD, kind="token_file", connection="-")]
    registry.register(FileFigures(lambda: [serving], lambda: others))

    def value(what: str, connection: str) -> float | None:
        labels = {"what": what, "connection": connection}
        return registry.get_sample_value("bss_sidecar_bad_files", labels)

    assert value("credentials", "amdocs") == 2
    assert value("token_file", "-") == 1
    serving, others[:] = replace(serving, files=()), []
    assert value("credentials", "amdocs") == 0
    assert value("token_file", "-") is None


def test_clocks_and_lives_of_certificates_are_told_of_each_connection() -> None:
    registry = CollectorRegistry()
    life = CertificateRecord(role="client", subject="", begins=NOW, ends=NOW + timedelta(days=8))
    record = CredentialsRecord(
        connection="amdocs", certificates=(life,), clock_skews=(("vendor", -45.0), ("token", 0.0))
    )
    registry.register(CredentialFigures(lambda: [record], tuple, lambda: NOW + timedelta(days=7)))
    text = generate_latest(registry).decode()
    for line in (
        'certificate_expiry_seconds{certificate="client",connection="amdocs"} 86400.0',
        'certificate_lifetime_seconds{certificate="client",connection="amdocs"} 691200.0',
        'clock_skew_seconds{connection="amdocs",whose="vendor"} -45.0',
        'clock_skew_seconds{connection="amdocs",whose="token"} 0.0',
    ):
        assert f"bss_sidecar_{line}" in text


def test_lines_that_could_not_be_written_are_counted_for_good() -> None:
    with Path("/dev/full").open("w") as full:
        log = Log(full)
        registry = CollectorRegistry()
        registry.register(LogFigures(lambda: log.dropped_lines))

        def dropped() -> float:
            return registry.get_sample_value("bss_sidecar_dropped_log_lines_total") or 0.0

        assert dropped() == 0
        for _ in range(20):
            log.info("question")
        log.end(10)
        assert dropped() == 20


def test_the_process_tells_what_it_uses() -> None:
    text = text_of(Metrics())
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"):
        assert f"\n{name} " in text


@given(
    st.lists(
        st.tuples(st.text(max_size=8), st.floats(), st.text(max_size=8)),
        max_size=12,
        unique_by=lambda one: one[0],
    )
)
async def test_what_is_written_in_pieces_is_what_the_library_writes(
    samples: list[tuple[str, float, str]],
) -> None:
    registry = CollectorRegistry()
    words = "".join(words for _, _, words in samples)
    gauge = Gauge("one", words, ["first", "second"], registry=registry)
    for value, number, other in samples:
        gauge.labels(value, other).set(number)
    Counter("two", 'a "word"\\\n', registry=registry).inc()
    metrics = Metrics()
    answered(metrics)
    registry.register(metrics._questions._durations)
    assert await rendered(registry) == generate_latest(registry)


async def test_all_that_a_sidecar_shows_is_written_as_the_library_writes_it() -> None:
    telemetry = Telemetry(Log(io.StringIO()), Metrics())
    Sidecar(telemetry, clock=wall_clock)
    telemetry.metrics.answered(RECORD)

    def lasting(text: bytes) -> list[bytes]:
        return [line for line in text.splitlines() if not line.startswith(b"process_")]

    registry = telemetry.metrics.registry
    assert lasting(await rendered(registry)) == lasting(generate_latest(registry))


async def test_others_have_their_turn_while_a_long_text_is_written() -> None:
    registry = CollectorRegistry()
    gauge = Gauge("one", "", ["connection"], registry=registry)
    for number in range(10 * PIECE):
        gauge.labels(number).set(number)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(others())
        text = await rendered(registry)
        waiting.cancel()
    assert text.count(b"\n") == 10 * PIECE + 2
    assert turns >= 10


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
async def test_prometheus_finds_nothing_wrong_with_all_that_a_sidecar_shows() -> None:
    telemetry = Telemetry(Log(io.StringIO()), Metrics())
    Sidecar(telemetry, clock=wall_clock)
    telemetry.metrics.tenants.count(TENANTS)
    telemetry.metrics.answered(RECORD)
    RequestMeter(telemetry.metrics.requests.identity, "amdocs").exchanged(Reason.AUTH, 0.1)
    judged = subprocess.run(  # noqa: ASYNC221  (promtool takes no time, and nobody else is here)
        ["promtool", "check", "metrics"],
        input=await rendered(telemetry.metrics.registry),
        capture_output=True,
        check=False,
    )
    assert (judged.returncode, judged.stdout, judged.stderr) == (0, b"", b"")
