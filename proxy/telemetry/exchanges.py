"""What becomes of exchanges and breakers, counted as it happens, each connection by itself."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram

from adapters.outcome import Reason
from proxy.telemetry.history import History
from proxy.telemetry.log import Log
from proxy.telemetry.records import BreakerRecord, BreakerState

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0, 1.5, 2.0)
"""With the default `slow_call` and `exchange_timeout` among the edges."""
OK = "ok"


class ExchangeMetrics:
    """The figures of all connections. Labels are configured names and closed lists."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.exchanges = Counter(
            "bss_sidecar_exchanges",
            "Exchanges by how they ended: `ok`, or the reason why not, also of those that never "
            "left (breaker_open, overload).",
            ["connection", "outcome"],
            registry=registry,
        )
        self.duration = Histogram(
            "bss_sidecar_exchange_duration_seconds",
            "Of exchanges that left, from their slot to their end; waiting for a slot is no part "
            "of it.",
            ["connection"],
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.retries = Counter(
            "bss_sidecar_retries",
            "Further tries of an exchange, by why: it failed (`retry`), it took unusually long "
            "(`hedge`), or a kept connection had been closed by the vendor (`reconnect`).",
            ["connection", "why"],
            registry=registry,
        )
        self.opened = Counter(
            "bss_sidecar_breaker_opened",
            "Times that a breaker opened, also anew after a probe that failed.",
            ["connection", "breaker"],
            registry=registry,
        )


class Meter:
    """What one connection tells. It outlives the runtime that it is made for, and costs little."""

    def __init__(
        self,
        connection: str,
        metrics: ExchangeMetrics,
        log: Log,
        *,
        history: History,
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._log = log
        self._history = history
        self._clock = clock
        self._ended = {
            outcome: metrics.exchanges.labels(connection, outcome) for outcome in (OK, *Reason)
        }
        self._duration = metrics.duration.labels(connection)
        self._retries = {
            why: metrics.retries.labels(connection, why) for why in ("retry", "hedge", "reconnect")
        }
        self._opened = metrics.opened
        self._told: dict[str, str] = {}

    def exchanged(self, failure: Reason | None, took_s: float | None) -> None:
        """An exchange is over; `took_s`: since it had its slot, `None` if it never left."""
        self._ended[OK if failure is None else failure].inc()
        if took_s is not None:
            self._duration.observe(took_s)
        self._history.of(self._connection).exchanged(failure, took_s, now=self._clock())

    def retried(self) -> None:
        """A failed exchange is tried again."""
        self._retries["retry"].inc()

    def hedged(self) -> None:
        """A second try stands beside a slow one."""
        self._retries["hedge"].inc()

    def reconnected(self) -> None:
        """The HTTP client repeated an exchange by itself, on a new connection."""
        self._retries["reconnect"].inc()

    def breaker_changed(self, breaker: BreakerRecord) -> None:
        """A breaker opened, closed, or lets probes through.

        One that opens anew because its probe failed is still the same news, told quietly.
        """
        self._history.of(self._connection).breaker_changed(breaker, now=self._clock())
        if breaker.state is BreakerState.OPEN:
            self._opened.labels(self._connection, breaker.name).inc()
            self._tell_of_opening(breaker)
        elif breaker.state is BreakerState.CLOSED:
            if self._told.pop(breaker.name, None) is not None:
                self._log.info("breaker", **self._shown(breaker))
        else:
            self._log.debug("breaker", **self._shown(breaker))

    def _tell_of_opening(self, breaker: BreakerRecord) -> None:
        reason = breaker.because.partition(":")[0]  # what follows are figures, never twice the same
        is_news = self._told.get(breaker.name) != reason
        self._told[breaker.name] = reason
        tell = self._log.warning if is_news else self._log.info
        tell(
            "breaker",
            **self._shown(breaker),
            because=breaker.because,
            for_s=round(breaker.opens_for_s, 1),
        )

    def _shown(self, breaker: BreakerRecord) -> dict[str, object]:
        return {
            "connection": self._connection,
            "breaker": breaker.name,
            "state": breaker.state.value,
        }
