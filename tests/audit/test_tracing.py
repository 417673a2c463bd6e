"""The caller's trace travels on to the vendor; with OpenTelemetry there are spans in between."""

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from adapters.simulator import faults
from adapters.simulator.population import customer_id
from adapters.simulator.traffic import SeenRequest
from proxy.http.correlation import trace_headers
from proxy.telemetry.log import Log
from proxy.telemetry.tracing import SpanTracing, Tracing, open_tracing
from tests.servers.sidecar import Demonstration, Stage, served, staged, within
from tests.servers.vendors import Setup

TENANT = "amdocs_demo"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "congo=t61rcWkgMzE,rojo=00f067aa"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    async with staged(folder, setups={"amdocs": Setup(shape="amdocs")}) as made:
        yield made


class Traced:
    """A sidecar whose spans are kept."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = SpanTracing(provider)

    def spans(self, kind: SpanKind) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.kind is kind]


async def ask(running: Demonstration, numbers: list[int], headers: Mapping[str, str]) -> None:
    ids = [str(customer_id(TENANT, number)) for number in numbers]
    reply = await running.data.ask(
        "POST",
        "/v1/revenue-at-risk",
        headers={"X-Tenant-ID": TENANT, **headers},
        json={"customer_ids": ids},
    )
    assert reply.status == 200


def seen(stage: Stage) -> list[SeenRequest]:
    """Exchanges; a token's is nobody's in particular."""
    return [one for one in stage.vendors["amdocs"].traffic.requests if one.kind != "token"]


async def test_without_opentelemetry_the_callers_trace_travels_on_as_it_is(stage: Stage) -> None:
    stage.vendors["amdocs"].traffic.forget()
    async with within(stage) as running:
        await ask(running, [1, 2], GIVEN)
    assert seen(stage)
    for request in seen(stage):
        assert (request.traceparent, request.tracestate) == (
            GIVEN["traceparent"], GIVEN["tracestate"],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "carried"),
    [
        ([], {}),
        ([("traceparent", "x\ty")], {}),
        ([("tracestate", "a=b")], {}),
        ([("traceparent", GIVEN["traceparent"]), ("tracestate", "a" * 513)],
         {"traceparent": GIVEN["traceparent"]}),
        ([("traceparent", GIVEN["traceparent"]), ("tracestate", "a=1"), ("tracestate", "b=2")],
         {"traceparent": GIVEN["traceparent"], "tracestate": "a=1,b=2"}),
        ([("traceparent", GIVEN["traceparent"]), ("tracestate", "a=\x00")],
         {"traceparent": GIVEN["traceparent"]}),
    ],
)  # fmt: skip
async def test_only_a_trace_that_is_one_is_carried(
    sent: list[tuple[str, str]], carried: Mapping[str, str]
) -> None:
    assert trace_headers(CIMultiDictProxy(CIMultiDict(sent))) == carried


async def test_a_span_stands_for_each_question_and_below_it_one_for_each_exchange(
    stage: Stage,
) -> None:
    stage.vendors["amdocs"].traffic.forget()
    traced = Traced()
    async with within(stage, tracing=traced.tracing) as running:
        await ask(running, [3, 4, 5], GIVEN)
    (question,) = traced.spans(SpanKind.SERVER)
    exchanges = traced.spans(SpanKind.CLIENT)
    assert question.name == "revenue_at_risk"
    assert question.parent is not None
    assert format_trace_id(question.context.trace_id) == TRACE
    assert format_span_id(question.parent.span_id) == PARENT
    assert dict(question.attributes or {}) == {
        "bss_sidecar.question": "revenue_at_risk",
        "bss_sidecar.tenant": TENANT,
        "bss_sidecar.connection": "amdocs",
        "bss_sidecar.ids": 3,
        "bss_sidecar.outcome": "answered",
    }
    assert exchanges
    assert {one.parent.span_id for one in exchanges if one.parent} == {question.context.span_id}
    told = {f"00-{TRACE}-{format_span_id(one.context.span_id)}-01" for one in exchanges}
    assert {one.traceparent for one in seen(stage)} == told
    assert {one.tracestate for one in seen(stage)} == {GIVEN["tracestate"]}


async def test_what_fails_says_why_in_a_word_and_nothing_of_anybody(stage: Stage) -> None:
    traced = Traced()
    await stage.vendors["amdocs"].faults.set(faults.Status(status=500))
    try:
        async with within(stage, tracing=traced.tracing) as running:
            await ask(running, [6], {})
    finally:
        await stage.vendors["amdocs"].faults.clear()
    (question,) = traced.spans(SpanKind.SERVER)
    assert (question.attributes or {})["bss_sidecar.degraded"] == "vendor_error"
    assert question.status.status_code is StatusCode.UNSET
    failed = [one for one in traced.spans(SpanKind.CLIENT) if not one.status.is_ok]
    assert {(one.attributes or {})["error.type"] for one in failed} == {"vendor_error"}
    for span in traced.exporter.get_finished_spans():
        shown = span.to_json()
        assert str(customer_id(TENANT, 6)) not in shown
        assert span.events == ()
        assert span.status.description is None


@pytest.mark.parametrize(
    ("env", "is_on"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
    ],
)
async def test_it_is_off_unless_the_environment_says_where_spans_go(
    env: Mapping[str, str], *, is_on: bool
) -> None:
    tracing = open_tracing(env, Log(io.StringIO()))
    assert isinstance(tracing, SpanTracing) is is_on
    await asyncio.to_thread(tracing.end, 5)


async def test_without_the_extra_it_is_told_and_everything_else_goes_on() -> None:
    """In a process of its own, in which OpenTelemetry can't be imported."""
    program = """if True:
        import io, sys
        sys.modules["opentelemetry.sdk"] = None
        sys.modules["opentelemetry.exporter"] = None
        from proxy.telemetry.log import Log
        from proxy.telemetry.tracing import SpanTracing, open_tracing
        stream = io.StringIO()
        made = open_tracing({"OTEL_TRACES_EXPORTER": "otlp"}, Log(stream, style="json"))
        assert not isinstance(made, SpanTracing)
        print(stream.getvalue())
    """
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    line = json.loads(done.stdout)
    assert (line["event"], line["level"]) == ("tracing_unavailable", "warning")
    assert "otel" in line["remedy"]


async def test_a_real_sidecar_sends_its_spans_to_a_collector(stage: Stage) -> None:
    sent: asyncio.Queue[bytes] = asyncio.Queue()

    async def collect(request: web.BaseRequest) -> web.Response:
        sent.put_nowait(await request.read())
        return web.Response()

    runner = web.ServerRunner(web.Server(collect))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{host}:{port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    try:
        async with served(stage, env=env) as running, asyncio.timeout(30):
            await ask(running, [7], GIVEN)
            spans = b""
            while b"revenue_at_risk" not in spans or b"exchange" not in spans:
                spans += await sent.get()
    finally:
        await runner.cleanup()
    assert b"bss-sidecar" in spans
    assert bytes.fromhex(TRACE) in spans
    assert str(customer_id(TENANT, 7)).encode() not in spans


async def test_a_collector_that_is_gone_delays_neither_an_answer_nor_the_end(stage: Stage) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    async with served(stage, env=env) as running:
        await ask(running, [8], {})
    told = await asyncio.to_thread((stage.folder / "stdout").read_text)
    assert json.loads(told.splitlines()[-1])["event"] in {"stopping", "library_spoke"}


async def test_off_is_no_span_at_all() -> None:
    with Tracing().question("disputes", {}) as told:  # type: ignore[arg-type]  # a name will do
        told(None)  # type: ignore[arg-type]  # it looks at nothing
    Tracing().end(0)
