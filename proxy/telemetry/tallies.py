"""Counters and histograms that count in a fraction of a microsecond, for what happens with every
question. The library's own take a lock and several calls each time; these are counted on the event
loop alone, and become what the library knows when somebody reads `/metrics`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Count:
    """How often something happened."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Counts(Collector):
    """A counter. Its series appear when they are first asked for."""

    def __init__(
        self, name: str, about: str, labels: Sequence[str], *, registry: CollectorRegistry
    ) -> None:
        self._name, self._about, self._labels = name, about, labels
        self._series: dict[tuple[str, ...], Count] = {}
        registry.register(self)

    def of(self, *values: str) -> Count:
        """Values of the labels, in their order. To be kept by who counts often."""
        return self._series.setdefault(values, Count())

    def describe(self) -> Iterable[Metric]:
        return [self._family()]

    def collect(self) -> Iterator[Metric]:
        family = self._family()
        for values, count in self._series.items():
            family.add_metric(values, count.value)
        yield family

    def _family(self) -> CounterMetricFamily:
        return CounterMetricFamily(self._name, self._about, labels=self._labels)


class Times:
    """How long something took."""

    __slots__ = ("_counts", "_edges_s", "sum_s")

    def __init__(self, edges_s: Sequence[float]) -> None:
        self._edges_s = edges_s
        self._counts = [0] * (len(edges_s) + 1)
        self.sum_s = 0.0

    def add(self, took_s: float) -> None:
        self._counts[bisect_left(self._edges_s, took_s)] += 1
        self.sum_s += took_s

    def up_to_each(self) -> Iterator[int]:
        """How often it took no longer than each of the edges, and at last than any time."""
        return accumulate(self._counts)


class Durations(Collector):
    """A histogram of seconds."""

    def __init__(
        self,
        name: str,
        about: str,
        labels: Sequence[str],
        *,
        edges_s: Sequence[float],
        registry: CollectorRegistry,
    ) -> None:
        self._name, self._about, self._labels = name, about, labels
        self._edges_s = edges_s
        self._words = [*(floatToGoString(edge) for edge in edges_s), "+Inf"]  # type: ignore[no-untyped-call]  # it has no types
        self._series: dict[tuple[str, ...], Times] = {}
        registry.register(self)

    def of(self, *values: str) -> Times:
        """Values of the labels, in their order. To be kept by who measures often."""
        return self._series.setdefault(values, Times(self._edges_s))

    def describe(self) -> Iterable[Metric]:
        return [self._family()]

    def collect(self) -> Iterator[Metric]:
        family = self._family()
        for values, times in self._series.items():
            buckets = [*zip(self._words, map(float, times.up_to_each()), strict=True)]
            family.add_metric(values, buckets, times.sum_s)
        yield family

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._about, labels=self._labels)
