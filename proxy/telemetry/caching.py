"""What a cache does, counted as it happens. No label says anything about a customer."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

from proxy.cache.seal import Refused
from proxy.cache.tally import Tally
from proxy.telemetry.history import History
from proxy.telemetry.log import Log
from proxy.telemetry.records import BreakerRecord, BreakerState
from proxy.telemetry.tallies import Count, Counts, Durations

_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.1, 0.5)
"""With the default `read_budget` among the edges."""
_OUTCOMES = ("hit", "negative", "miss", "outdated", "bypassed")


class CacheMetrics:
    """The figures of all caches: while a configuration is replaced there may be two."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.customers = Counts(
            "bss_sidecar_cache_customers",
            "Customers who were looked for: `hit`; `negative` (a hit: there is no such customer); "
            "`miss`; `outdated` (an entry past its life); `bypassed` (the store said nothing).",
            ["connection", "question", "outcome"],
            registry=registry,
        )
        self.stale = Counter(
            "bss_sidecar_cache_stale_answers",
            "Customers answered from an entry past its life, because nobody could say.",
            ["connection", "question"],
            registry=registry,
        )
        self._lookups = Durations(
            "bss_sidecar_cache_lookup_duration_seconds",
            "Of a question, until it was known what is fresh.",
            [],
            edges_s=_BUCKETS_S,
            registry=registry,
        )
        self.lookups = self._lookups.of()
        self.unopenable = Counter(
            "bss_sidecar_cache_unopenable_entries",
            "Entries that did not open, by why; they are misses.",
            ["why"],
            registry=registry,
        )
        for why in Refused:
            self.unopenable.labels(why)
        self.bypassed = Counter(
            "bss_sidecar_cache_bypassed_lookups",
            "Questions for which the store said nothing, by why.",
            ["why"],
            registry=registry,
        )
        self.written = Counter(
            "bss_sidecar_cache_written_entries", "Entries that were kept.", registry=registry
        )
        self.dropped = Counter(
            "bss_sidecar_cache_dropped_entries",
            "What was learned and not kept, by why.",
            ["why"],
            registry=registry,
        )
        self.writes = Histogram(
            "bss_sidecar_cache_write_duration_seconds",
            "Of a bulk of entries. Nobody waits for it.",
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.refreshes = Counter(
            "bss_sidecar_cache_refreshed_customers",
            "Customers who were asked about ahead of time, by what came of it.",
            ["outcome"],
            registry=registry,
        )


class CacheMeter:
    """The witness of one cache."""

    def __init__(
        self,
        metrics: CacheMetrics,
        log: Log,
        failed: Callable[[], None],
        *,
        history: History,
        clock: Callable[[], float],
    ) -> None:
        """`failed` counts what nobody foresaw."""
        self._history = history
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._failed = failed
        self._told: set[str] = set()
        self._counted: dict[tuple[str, str], list[Count]] = {}
        self.failure = ""
        """What was wrong the last time that the store could not be used."""

    def looked(self, connection: str, question: str, tally: Tally, took_s: float) -> None:
        counted = self._counted.get((connection, question))
        if counted is None:
            of = self._metrics.customers.of
            counted = [of(connection, question, outcome) for outcome in _OUTCOMES]
            self._counted[connection, question] = counted
        counted[0].value += tally.hits - tally.negative
        if tally.misses or tally.negative:
            rest = (
                tally.negative,
                tally.misses - tally.outdated - tally.bypassed,
                tally.outdated,
                tally.bypassed,
            )
            for counter, count in zip(counted[1:], rest, strict=True):
                counter.value += max(0, count)
        self._metrics.lookups.add(took_s)
        self._history.of(connection).cached(tally.hits, tally.misses, now=self._clock())

    def stood_in(self, connection: str, question: str) -> None:
        self._metrics.stale.labels(connection, question).inc()

    def refused(self, why: str) -> None:
        self._metrics.unopenable.labels(why).inc()

    def bypassed(self, why: str) -> None:
        self._metrics.bypassed.labels(why).inc()
        self._note(why)

    def written(self, entries: int, took_s: float) -> None:
        self._metrics.written.inc(entries)
        self._metrics.writes.observe(took_s)

    def dropped(self, entries: int, why: str) -> None:
        self._metrics.dropped.labels(why).inc(entries)
        self._note(why)

    def refreshed(self, renewed: int, failed: int) -> None:
        self._metrics.refreshes.labels("renewed").inc(renewed)
        self._metrics.refreshes.labels("failed").inc(failed)

    def broke(self, what: str) -> None:
        self._failed()
        self._log.error("cache_failed", error=what)

    def breaker_changed(self, breaker: BreakerRecord) -> None:
        """That it opens is told once until it closes: it tries again every second or two."""
        if breaker.state is BreakerState.OPEN:
            is_news = breaker.name not in self._told
            self._told.add(breaker.name)
            tell = self._log.warning if is_news else self._log.debug
            tell("cache_failing", what=breaker.name, why=self.failure or breaker.because)
        elif breaker.state is BreakerState.CLOSED and breaker.name in self._told:
            self._told.discard(breaker.name)
            self._log.info("cache_recovered", what=breaker.name)

    def _note(self, why: str) -> None:
        if why in _OF_THE_STORE:
            self.failure = why


_OF_THE_STORE = frozenset(
    {"timeout", "refused", "starting", "tls", "auth", "readonly", "full", "protocol", "closed"}
)
"""Of all that a lookup is bypassed for, or an entry dropped: what a Redis is to blame for."""
