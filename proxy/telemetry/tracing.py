"""Spans for who has OpenTelemetry: one for each question, below it one for each exchange.

Off, and nothing of OpenTelemetry is imported, unless its environment says where spans go
(`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or
`OTEL_TRACES_EXPORTER=otlp`) and the extra `otel` is installed. The caller's `traceparent` travels
on to the vendor in any case, by hand where this is off.

What a span says is what the log says of a question: closed lists, counts and configured names. No
id, no URL, no text of an exception. Spans are sent by OpenTelemetry's own thread, over
http/protobuf; those that find no room in its queue are dropped.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol, TypeAlias

from adapters.outcome import LookupFailed
from proxy.telemetry.log import Log
from proxy.telemetry.records import Outcome, Question, QuestionRecord

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

Headers: TypeAlias = Mapping[str, str]
"""`traceparent` and `tracestate` (W3C Trace Context), where there are any."""
Told: TypeAlias = Callable[[QuestionRecord], None]

_WHERE_TO = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
REMEDY = "install the extra: pip install --require-hashes -r requirements/otel.txt"


class Step(Protocol):
    """One exchange while it is under way."""

    def headers(self, given: Headers) -> Headers:
        """What the vendor is told, instead of what the caller gave."""
        ...

    def replied(self, status: int) -> None: ...


class Tracing:
    """Makes no spans."""

    def question(self, question: Question, headers: Headers) -> AbstractContextManager[Told]:
        """Around one question; the function is told how it went."""
        return _UNTOLD

    def end(self, within_s: float) -> None:
        """Waits so long at most until what is left is sent. Not on the event loop."""


class _Untold(AbstractContextManager[Told]):
    """Around questions without spans; one will do for all."""

    def __enter__(self) -> Told:
        return _hears_nothing

    def __exit__(self, *_: object) -> None: ...


def _hears_nothing(_record: QuestionRecord) -> None: ...


_UNTOLD = _Untold()


class _Untraced:
    def headers(self, given: Headers) -> Headers:
        return given

    def replied(self, status: int) -> None:
        pass


_UNTRACED = _Untraced()
_now: ContextVar["_Spans | None"] = ContextVar("question under way", default=None)
"""That of the task. Whoever shares another's flight finds its exchanges in that one's trace."""


_step: ContextVar[Step] = ContextVar("exchange under way", default=_UNTRACED)


_WITHOUT_A_SPAN = nullcontext[Step](_UNTRACED)


def exchange(api: str) -> AbstractContextManager[Step]:
    """Around one exchange; `api` is of a closed list."""
    spans = _now.get()
    return _WITHOUT_A_SPAN if spans is None else _spanned(spans, api)


@contextmanager
def _spanned(spans: "_Spans", api: str) -> Iterator[Step]:
    with spans.exchange(api) as step:
        token = _step.set(step)
        try:
            yield step
        finally:
            _step.reset(token)


def headers(given: Headers) -> Headers:
    """What the vendor is told in the exchange under way; `given` is what the caller told us."""
    return _step.get().headers(given)


class SpanTracing(Tracing):
    """Makes spans with a provider of OpenTelemetry's SDK."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("bss_sidecar", version("bss-sidecar"))

    @contextmanager
    def question(self, question: Question, headers: Headers) -> Iterator[Told]:
        from opentelemetry import trace  # noqa: PLC0415  (only for who has it)
        from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415  (the same)

        caller = tracecontext.TraceContextTextMapPropagator().extract(dict(headers))
        span = self._tracer.start_span(question, context=caller, kind=trace.SpanKind.SERVER)
        spans = _Spans(self._tracer, trace.set_span_in_context(span, caller))
        token = _now.set(spans)
        try:
            yield lambda record: _tell(span, record)
        finally:
            _now.reset(token)
            span.end()

    def end(self, within_s: float) -> None:
        # The SDK waits for its collector for as long as that takes.
        ending = threading.Thread(target=self._provider.shutdown, name="tracing", daemon=True)
        ending.start()
        ending.join(within_s)


class _Spans:
    """The spans below one question."""

    def __init__(self, tracer: "Tracer", context: "Context") -> None:
        self._tracer = tracer
        self._context = context

    @contextmanager
    def exchange(self, api: str) -> Iterator[Step]:
        from opentelemetry import trace  # noqa: PLC0415  (only for who has it)

        span = self._tracer.start_span(
            "exchange",
            context=self._context,
            kind=trace.SpanKind.CLIENT,
            attributes={"http.request.method": "GET", "bss_sidecar.api": api},
        )
        try:
            yield _Traced(span, self._context)
        except BaseException as error:
            _fail(span, error.reason if isinstance(error, LookupFailed) else type(error).__name__)
            raise
        finally:
            span.end()


class _Traced:
    def __init__(self, span: "Span", context: "Context") -> None:
        self._span = span
        self._context = context

    def headers(self, given: Headers) -> Headers:
        from opentelemetry import trace  # noqa: PLC0415  (only for who has it)
        from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415  (the same)

        made: dict[str, str] = {}
        within = trace.set_span_in_context(self._span, self._context)
        tracecontext.TraceContextTextMapPropagator().inject(made, context=within)
        return made or given

    def replied(self, status: int) -> None:
        self._span.set_attribute("http.response.status_code", status)


def _tell(span: "Span", record: QuestionRecord) -> None:
    span.set_attributes(
        {
            "bss_sidecar.question": record.question,
            "bss_sidecar.tenant": record.tenant,
            "bss_sidecar.connection": record.connection,
            "bss_sidecar.ids": record.ids,
            "bss_sidecar.outcome": record.outcome,
        }
    )
    if record.reason is not None:
        span.set_attribute("bss_sidecar.degraded", record.reason)
    if record.outcome is Outcome.FAILED:
        _fail(span, "failed")


def _fail(span: "Span", kind: str) -> None:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415  (only for who has it)

    span.set_attribute("error.type", str(kind))
    span.set_status(Status(StatusCode.ERROR))


def open_tracing(env: Mapping[str, str], log: Log) -> Tracing:
    """As OpenTelemetry's environment has it. What it lacks is told, and stops nothing."""
    if not _is_wanted(env):
        return Tracing()
    try:
        provider = _provider(env)
    except ImportError:
        log.warning("tracing_unavailable", why="OpenTelemetry is not installed", remedy=REMEDY)
        return Tracing()
    except Exception as error:  # noqa: BLE001  (told; nobody's answer depends on spans)
        why = f"its settings are of no use ({type(error).__name__})"
        log.warning("tracing_unavailable", why=why, remedy="see the OTEL_ variables")
        return Tracing()
    log.info("tracing")
    return SpanTracing(provider)


def _is_wanted(env: Mapping[str, str]) -> bool:
    if env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = env.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    return exporter == "otlp" or (not exporter and any(env.get(name) for name in _WHERE_TO))


def _provider(env: Mapping[str, str]) -> "TracerProvider":
    """The SDK reads the rest of its variables itself: sampler, headers, certificates, queue."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415  (optional)
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  (optional)
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415  (optional)
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415  (optional)

    ours = {"service.version": version("bss-sidecar")}
    named = "service.name=" in env.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if not named and not env.get("OTEL_SERVICE_NAME"):
        ours["service.name"] = "bss-sidecar"
    provider = TracerProvider(resource=Resource.create(ours), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
