"""Figures that are read at the moment of a scrape: of credentials, files, guards, the cache."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from proxy.telemetry.records import (
    BreakerState,
    CacheRecord,
    CertificateRecord,
    CredentialsRecord,
    FileRecord,
    GuardRecord,
)


class CredentialFigures(Collector):
    """Labels are connections' names and the closed list of certificates' roles."""

    def __init__(
        self,
        credentials: Callable[[], Iterable[CredentialsRecord]],
        certificates: Callable[[], Iterable[CertificateRecord]],
        clock: Callable[[], datetime],
    ) -> None:
        """`certificates`: those of the sidecar's own listeners."""
        self._credentials = credentials
        self._certificates = certificates
        self._clock = clock

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when it is registered."""
        return _families()

    def collect(self) -> Iterator[Metric]:
        expiry, lifetime, version, age, token, skew, open_ones = _families()
        now = self._clock()

        def certified(connection: str, certificates: Iterable[CertificateRecord]) -> None:
            for one in certificates:
                labels = [connection, one.role]
                expiry.add_metric(labels, (one.ends - now).total_seconds())
                lifetime.add_metric(labels, (one.ends - one.begins).total_seconds())

        certified("-", self._certificates())
        for record in self._credentials():
            name = [record.connection]
            certified(record.connection, record.certificates)
            version.add_metric(name, record.version)
            if record.loaded_at is not None:
                age.add_metric(name, (now - record.loaded_at).total_seconds())
            if record.token_left_s is not None:
                token.add_metric(name, record.token_left_s)
            open_ones.add_metric(name, record.open_connections)
            for whose, seconds in record.clock_skews:
                skew.add_metric([*name, whose], seconds)
        yield from (expiry, lifetime, version, age, token, skew, open_ones)


class FileFigures(Collector):
    """Labels are connections' names and the closed list of what a file is."""

    def __init__(
        self,
        credentials: Callable[[], Iterable[CredentialsRecord]],
        files: Callable[[], Iterable[FileRecord]],
    ) -> None:
        """`files`: those with which something is wrong, of no connection's credentials."""
        self._credentials = credentials
        self._files = files

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when it is registered."""
        return (_bad_files(),)

    def collect(self) -> Iterator[Metric]:
        credentials = tuple(self._credentials())
        counts = Counter({("credentials", one.connection): 0 for one in credentials})
        files = (*self._files(), *(file for one in credentials for file in one.files))
        counts.update((one.kind, one.connection) for one in files if one.serious)
        bad = _bad_files()
        for (what, connection), count in counts.items():
            bad.add_metric([what, connection], count)
        yield bad


class LogFigures(Collector):
    """What the log itself cannot tell."""

    def __init__(self, dropped_lines: Callable[[], int]) -> None:
        self._dropped_lines = dropped_lines

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when it is registered."""
        return (_dropped(),)

    def collect(self) -> Iterator[Metric]:
        dropped = _dropped()
        dropped.add_metric([], self._dropped_lines())
        yield dropped


class GuardFigures(Collector):
    """Labels are connections' names and closed lists."""

    def __init__(
        self, guards: Callable[[], Iterable[GuardRecord]], flights: Callable[[], int]
    ) -> None:
        """`flights`: how many shared lookups are under way, of all tenants."""
        self._guards = guards
        self._flights = flights

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when it is registered."""
        return _guard_families()

    def collect(self) -> Iterator[Metric]:
        breakers, in_flight, queued, limit, flights = _guard_families()
        for record in self._guards():
            name = [record.connection]
            for breaker in record.breakers:
                for state in BreakerState:
                    is_it = float(breaker.state is state)
                    breakers.add_metric([*name, breaker.name, state], is_it)
            in_flight.add_metric(name, record.in_flight)
            queued.add_metric(name, record.queued)
            limit.add_metric(name, record.concurrency_limit)
        flights.add_metric([], self._flights())
        yield from (breakers, in_flight, queued, limit, flights)


class CacheFigures(Collector):
    """Labels are closed lists."""

    def __init__(self, cache: Callable[[], CacheRecord]) -> None:
        self._cache = cache

    def describe(self) -> Iterable[Metric]:
        """Nothing is read when it is registered."""
        return _cache_families()

    def collect(self) -> Iterator[Metric]:
        entries, size, pending, refreshing, breakers = _cache_families()
        record = self._cache()
        if record.entries is not None:
            entries.add_metric([], record.entries)
        if record.size is not None:
            size.add_metric([], record.size)
        pending.add_metric([], record.pending)
        refreshing.add_metric([], record.refreshing)
        for breaker in record.breakers:
            for state in BreakerState:
                breakers.add_metric([breaker.name, state], float(breaker.state is state))
        yield from (entries, size, pending, refreshing, breakers)


def _cache_families() -> tuple[GaugeMetricFamily, ...]:
    return (
        GaugeMetricFamily("bss_sidecar_cache_entries", "Entries in the memory store."),
        GaugeMetricFamily("bss_sidecar_cache_size_bytes", "Bytes that they take."),
        GaugeMetricFamily("bss_sidecar_cache_pending_writes", "Entries that wait to be written."),
        GaugeMetricFamily(
            "bss_sidecar_cache_refreshing",
            "Customers who are asked about ahead of time, or whose entry rests after that failed.",
        ),
        GaugeMetricFamily(
            "bss_sidecar_cache_breaker_state",
            "1 for the state that a breaker of Redis is in: of `reads` or of `writes`.",
            labels=["breaker", "state"],
        ),
    )


def _guard_families() -> tuple[GaugeMetricFamily, ...]:
    connection = ["connection"]
    return (
        GaugeMetricFamily(
            "bss_sidecar_breaker_state",
            "1 for the state that a breaker is in. Of a connection: `vendor`, `token` (its token "
            "endpoint), `identity` and `database`.",
            labels=["connection", "breaker", "state"],
        ),
        GaugeMetricFamily(
            "bss_sidecar_exchanges_in_flight", "Exchanges that have a slot.", labels=connection
        ),
        GaugeMetricFamily(
            "bss_sidecar_exchanges_queued", "Exchanges that wait for a slot.", labels=connection
        ),
        GaugeMetricFamily(
            "bss_sidecar_concurrency_limit",
            "Slots that there are now; a vendor that slows down gets fewer.",
            labels=connection,
        ),
        GaugeMetricFamily(
            "bss_sidecar_flights", "Lookups under way, each shared by all who ask the same."
        ),
    )


def _families() -> tuple[GaugeMetricFamily, ...]:
    connection = ["connection"]
    return (
        GaugeMetricFamily(
            "bss_sidecar_certificate_expiry_seconds",
            "Until a certificate ends; below 0 it has ended. Of a trust bundle, the CA that ends "
            "first and the one that ends last. Connection `-`: the data listener's own, and "
            "those for Redis.",
            labels=["connection", "certificate"],
        ),
        GaugeMetricFamily(
            "bss_sidecar_certificate_lifetime_seconds",
            "From a certificate's beginning to its end.",
            labels=["connection", "certificate"],
        ),
        GaugeMetricFamily(
            "bss_sidecar_credentials_version",
            "Goes up by 1 with each set of files that is taken; 0: none yet.",
            labels=connection,
        ),
        GaugeMetricFamily(
            "bss_sidecar_credentials_age_seconds",
            "Since the files that serve now were taken.",
            labels=connection,
        ),
        GaugeMetricFamily(
            "bss_sidecar_token_expiry_seconds",
            "Until the OAuth2 access token ends.",
            labels=connection,
        ),
        GaugeMetricFamily(
            "bss_sidecar_clock_skew_seconds",
            "By how much a clock is ahead of ours, as the Date of its replies has it: of the "
            "`vendor`, and of the issuer of tokens (`token`). 0: no further than a reply takes.",
            labels=["connection", "whose"],
        ),
        GaugeMetricFamily(
            "bss_sidecar_open_connections",
            "Connections to the vendor and its token endpoint, in use or idle.",
            labels=connection,
        ),
    )


def _bad_files() -> GaugeMetricFamily:
    return GaugeMetricFamily(
        "bss_sidecar_bad_files",
        "Files that are refused as they are now, by what they are; the last good ones serve on. "
        "Connection `-`: the sidecar's own.",
        labels=["what", "connection"],
    )


def _dropped() -> CounterMetricFamily:
    return CounterMetricFamily(
        "bss_sidecar_dropped_log_lines",
        "Lines of the log that could not be written: nobody takes them, or the disk is full.",
    )
