"""The figures, in a registry of their own. Labels are closed lists or configured names."""

from functools import partial
from importlib.metadata import version
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from proxy.telemetry.caching import CacheMetrics
from proxy.telemetry.exchanges import ExchangeMetrics
from proxy.telemetry.records import (
    ConfigurationState,
    Outcome,
    Question,
    QuestionRecord,
    RefusalRecord,
    Reload,
)
from proxy.telemetry.requests import RequestMetrics
from proxy.telemetry.tallies import Count, Counts, Durations, Times
from proxy.telemetry.tenants import TenantMetrics

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.45, 0.5, 0.75, 1.0, 1.5, 1.9, 2.0, 5.0)
"""With the SLA's 500 ms and 2 s, and the default budgets that keep it, among the edges."""

_LAG_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class _Ended(NamedTuple):
    """Where questions of one kind that ended alike are counted. To look these up by their labels
    takes longer than to count.
    """

    questions: Count
    durations: Times


class _Questions:
    """What was asked, and how that ended."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._questions = Counts(
            "bss_sidecar_questions",
            "Questions of known tenants, by how they ended.",
            ["question", "outcome", "connection"],
            registry=registry,
        )
        self._degraded = Counter(
            "bss_sidecar_degraded_answers",
            "Answers that lack something, by why.",
            ["connection", "reason"],
            registry=registry,
        )
        self._durations = Durations(
            "bss_sidecar_question_duration_seconds",
            "From the head of the request to the answer.",
            ["connection", "question"],
            edges_s=_BUCKETS_S,
            registry=registry,
        )
        in_flight = Gauge(
            "bss_sidecar_questions_in_flight",
            "Questions under way.",
            ["question"],
            registry=registry,
        )
        self._under_way = dict.fromkeys(Question, 0)
        for question in Question:
            in_flight.labels(question).set_function(partial(self._under_way.__getitem__, question))
        self._ended: dict[tuple[Question, Outcome, str], _Ended] = {}

    def asked(self, question: Question) -> None:
        self._under_way[question] += 1

    def answered(self, record: QuestionRecord) -> None:
        self._under_way[record.question] -= 1
        kind = (record.question, record.outcome, record.connection)
        ended = self._ended.get(kind)
        if ended is None:
            ended = self._ended[kind] = _Ended(
                self._questions.of(*kind),
                self._durations.of(record.connection, record.question),
            )
        ended.questions.value += 1
        ended.durations.add(record.duration_s)
        if record.reason is not None:
            self._degraded.labels(record.connection, record.reason).inc()


class Metrics:
    """Everything that `/metrics` shows."""

    def __init__(self) -> None:
        # When a series began, as a series of its own: twice the lines, and nobody asks for it.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types
        self.registry = CollectorRegistry()
        self._questions = _Questions(self.registry)
        self._refused = Counter(
            "bss_sidecar_refused_requests",
            "Requests that were not let through, by what was wrong.",
            ["listener", "problem"],
            registry=self.registry,
        )
        self._errors = Counter(
            "bss_sidecar_unforeseen_errors",
            "Errors that nothing foresaw; the log has their types and places.",
            registry=self.registry,
        )
        self._configuration = Gauge(
            "bss_sidecar_configuration",
            "1 for the state that the configuration is in.",
            ["state"],
            registry=self.registry,
        )
        self._reloads = Counter(
            "bss_sidecar_reloads",
            "Files that rotated, by what they are and what became of them.",
            ["what", "connection", "outcome"],
            registry=self.registry,
        )
        self._lag = _lag(self.registry)
        self.tenants = TenantMetrics(self.registry)
        self.exchanges = ExchangeMetrics(self.registry)
        self.requests = RequestMetrics(self.registry)
        self.cache = CacheMetrics(self.registry)
        _tell_of_process(self.registry)

    def asked(self, question: Question) -> None:
        self._questions.asked(question)

    def answered(self, record: QuestionRecord) -> None:
        self._questions.answered(record)
        if self.tenants.counts_any:
            self.tenants.answered(record)

    def refused(self, record: RefusalRecord) -> None:
        self._refused.labels(record.listener, record.problem).inc()

    def lagged(self, late_s: float) -> None:
        self._lag.observe(late_s)

    def failed(self) -> None:
        self._errors.inc()

    def reloaded(self, what: str, connection: str, outcome: Reload) -> None:
        self._reloads.labels(what, connection, outcome).inc()

    def configured(self, state: ConfigurationState) -> None:
        for one in ConfigurationState:
            self._configuration.labels(one).set(one is state)


def _tell_of_process(registry: CollectorRegistry) -> None:
    build = Gauge("bss_sidecar_build_info", "Always 1.", ["version"], registry=registry)
    build.labels(version("bss-sidecar")).set(1)
    ProcessCollector(registry=registry)


def _lag(registry: CollectorRegistry) -> Histogram:
    return Histogram(
        "bss_sidecar_event_loop_lag_seconds",
        "How late the event loop was when it was asked to come back after a while. What is late "
        "here is no vendor's slowness.",
        buckets=_LAG_BUCKETS_S,
        registry=registry,
    )
