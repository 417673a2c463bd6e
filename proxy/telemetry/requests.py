"""Requests that are no exchanges: for tokens, and to the databases of the identity maps."""

from prometheus_client import CollectorRegistry, Counter

from adapters.outcome import Reason

OK = "ok"


class RequestMetrics:
    """The figures of all connections. Labels are configured names and closed lists."""

    def __init__(self, registry: CollectorRegistry) -> None:
        ended = (
            "by how they ended: `ok`, or the reason why not, also of those that never left "
            "(breaker_open, overload)."
        )
        self.tokens = Counter(
            "bss_sidecar_token_requests",
            f"Requests for an access token {ended}",
            ["connection", "outcome"],
            registry=registry,
        )
        self.identity = Counter(
            "bss_sidecar_identity_requests",
            f"Requests to the database of an identity map {ended}",
            ["connection", "outcome"],
            registry=registry,
        )


class RequestMeter:
    """The witness of one guard. Series appear with their first event, but for that of `ok`."""

    def __init__(self, counter: Counter, connection: str) -> None:
        self._counter = counter
        self._connection = connection
        self._ended = {OK: counter.labels(connection, OK)}

    def exchanged(self, failure: Reason | None, took_s: float | None) -> None:
        outcome = OK if failure is None else failure.value
        if outcome not in self._ended:
            self._ended[outcome] = self._counter.labels(self._connection, outcome)
        self._ended[outcome].inc()

    def retried(self) -> None:
        """Its outcome is counted like any other."""

    def hedged(self) -> None:
        """Its outcome is counted like any other."""

    def reconnected(self) -> None:
        """Its outcome is counted like any other."""
