"""The last minutes of each connection: how questions and exchanges ended, and what breakers did.

Pure, and bounded whatever the load: `BUCKETS` rows for each connection, of which only those are
kept in which something happened, and `CHANGES` changes of its breakers. `now` is monotonic.
"""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from adapters.outcome import Reason
from proxy.telemetry.records import BreakerRecord, BreakerState, Outcome

BUCKET_S: Final = 5
BUCKETS: Final = 120
"""Ten minutes of five seconds each."""
CHANGES: Final = 80
"""A breaker that opens and closes every half minute for ten makes fewer."""
LULL_S: Final = 60.0
"""Without a degraded answer for so long, the next one is the beginning of something new."""
COLUMNS: Final = (
    "bucket",
    "answered",
    "degraded",
    "failed",
    "question_p50_ms",
    "question_p95_ms",
    "ok",
    "exchange_failed",
    "not_sent",
    "exchange_p50_ms",
    "exchange_p95_ms",
    "cache_hits",
    "cache_misses",
)
"""Of a row. `bucket` is its number: the sidecar's monotonic clock divided by `BUCKET_S`."""
NEVER_LEFT: Final = frozenset({Reason.BREAKER_OPEN, Reason.OVERLOAD})

_EDGES_S: Final = tuple(0.0005 * 1.25**step for step in range(46))
"""From half a millisecond to eleven seconds: a quantile is at most a quarter too long."""
_EDGES_MS: Final = tuple(float(f"{edge * 1000:.3g}") for edge in _EDGES_S)

Row: TypeAlias = tuple[int | float | None, ...]


class _Times:
    """A small histogram."""

    __slots__ = ("_counts", "_total")

    def __init__(self) -> None:
        self._counts = [0] * (len(_EDGES_S) + 1)
        self._total = 0

    def add(self, took_s: float) -> None:
        self._counts[bisect_left(_EDGES_S, took_s)] += 1
        self._total += 1

    def quantile_ms(self, share: float) -> float | None:
        """The upper edge of the step that it lies on; `None`: there was nothing."""
        if not self._total:
            return None
        left = share * self._total
        for step, count in enumerate(self._counts):
            left -= count
            if left <= 0:
                return _EDGES_MS[min(step, len(_EDGES_MS) - 1)]
        return _EDGES_MS[-1]


class _Bucket:
    """What happens within the five seconds of now."""

    __slots__ = (
        "answered",
        "degraded",
        "exchange_failed",
        "exchanges",
        "failed",
        "hits",
        "misses",
        "not_sent",
        "number",
        "ok",
        "questions",
        "reasons",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.answered = self.degraded = self.failed = 0
        self.ok = self.exchange_failed = self.not_sent = 0
        self.hits = self.misses = 0
        self.questions, self.exchanges = _Times(), _Times()
        self.reasons: dict[str, int] = {}

    def row(self) -> Row:
        return (
            self.number,
            self.answered,
            self.degraded,
            self.failed,
            self.questions.quantile_ms(0.5),
            self.questions.quantile_ms(0.95),
            self.ok,
            self.exchange_failed,
            self.not_sent,
            self.exchanges.quantile_ms(0.5),
            self.exchanges.quantile_ms(0.95),
            self.hits,
            self.misses,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """A breaker came into a state."""

    at: float
    breaker: str
    before: BreakerState
    state: BreakerState
    because: str
    failed_probes: int = 0
    """How often it was half open since, and open again. They are no changes of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What the last minutes of one connection were like, seen at one moment."""

    bucket: int
    """Number of the bucket of now; its row, if there is one, is not finished."""
    rows: tuple[Row, ...]
    changes: tuple[Change, ...]
    not_closed_since: Mapping[str, float]
    """Of each breaker that is not closed by itself: when it left that state the last time."""
    degraded_since: float | None
    """First of the degraded answers that come without a lull until now."""
    degraded_last: float | None
    """The last of them."""
    questions: int
    """Of the last minute."""
    degraded: int
    """Of those."""
    reasons: Mapping[str, int]
    """Why, and how often."""


class Chronicle:
    """Of one connection."""

    def __init__(self) -> None:
        self._live = _Bucket(-1)
        self._past: deque[tuple[Row, Mapping[str, int]]] = deque(maxlen=BUCKETS - 1)
        self._changes: deque[Change] = deque(maxlen=CHANGES)
        self._states: dict[str, BreakerState] = {}
        self._since: dict[str, float] = {}
        self._degraded_first = self._degraded_last = -LULL_S

    def answered(
        self, outcome: Outcome, reason: Reason | None, took_s: float, *, now: float
    ) -> None:
        """A question is over. One whose pod hung up says nothing."""
        bucket = self._bucket(now)
        if outcome is Outcome.ANSWERED or outcome is Outcome.MISSING:
            bucket.answered += 1
        elif outcome is Outcome.CANCELLED:
            return
        else:
            self._lacked(bucket, outcome, reason, now)
        bucket.questions.add(took_s)

    def exchanged(self, failure: Reason | None, took_s: float | None, *, now: float) -> None:
        """An exchange is over; `took_s`: `None` if it never left."""
        bucket = self._bucket(now)
        if failure is None:
            bucket.ok += 1
        elif took_s is None or failure in NEVER_LEFT:
            bucket.not_sent += 1
        else:
            bucket.exchange_failed += 1
        if took_s is not None:
            bucket.exchanges.add(took_s)

    def cached(self, hits: int, misses: int, *, now: float) -> None:
        """Customers who were looked for in the cache."""
        bucket = self._bucket(now)
        bucket.hits += hits
        bucket.misses += misses

    def breaker_changed(self, record: BreakerRecord, *, now: float) -> None:
        before = self._states.get(record.name, BreakerState.CLOSED)
        if before is record.state:
            return  # as one that a reload made anew, and that is forced as the old one was
        self._states[record.name] = record.state
        change = Change(now, record.name, before, record.state, record.because)
        if change.state is not BreakerState.OPEN or not self._is_failed_probe(change):
            self._changes.append(change)
        if record.state is BreakerState.CLOSED:
            self._since.pop(record.name, None)
        elif record.is_forced or record.name not in self._since:
            self._since[record.name] = now

    def glance(self, now: float, *, since: int = 0) -> Glance:
        """`since`: rows of this bucket and later ones only."""
        bucket = self._bucket(now)
        oldest = bucket.number - BUCKETS + 1
        rows = self._rows_from(max(since, oldest))
        live = bucket.row()
        if any(live[1:]):
            rows.append(live)
        questions, degraded, reasons = self._last_minute(bucket)
        earliest = now - BUCKETS * BUCKET_S
        is_ongoing = now - self._degraded_last < LULL_S
        return Glance(
            bucket=bucket.number,
            rows=tuple(rows),
            changes=tuple(one for one in self._changes if one.at >= earliest),
            not_closed_since=dict(self._since),
            degraded_since=self._degraded_first if is_ongoing else None,
            degraded_last=self._degraded_last if is_ongoing else None,
            questions=questions,
            degraded=degraded,
            reasons=reasons,
        )

    def _lacked(self, bucket: _Bucket, outcome: Outcome, reason: Reason | None, now: float) -> None:
        if outcome is Outcome.DEGRADED:
            bucket.degraded += 1
        else:
            bucket.failed += 1
        why: str = "failed" if reason is None else reason
        bucket.reasons[why] = bucket.reasons.get(why, 0) + 1
        if now - self._degraded_last >= LULL_S:
            self._degraded_first = now
        self._degraded_last = now

    def _is_failed_probe(self, change: Change) -> bool:
        """If so, it is counted with the change that opened the breaker."""
        own = [at for at, one in enumerate(self._changes) if one.breaker == change.breaker]
        if not own or change.before is not BreakerState.HALF_OPEN:
            return False
        probe = self._changes[own[-1]]
        if (probe.before, probe.state) != (BreakerState.OPEN, BreakerState.HALF_OPEN):
            return False
        if len(own) > 1:
            opened = self._changes[own[-2]]
            self._changes[own[-2]] = replace(opened, failed_probes=opened.failed_probes + 1)
        del self._changes[own[-1]]
        return True

    def _last_minute(self, live: _Bucket) -> tuple[int, int, Mapping[str, int]]:
        lacking = live.degraded + live.failed
        questions = live.answered + lacking
        reasons = Counter(live.reasons)
        for row, why in reversed(self._past):
            if (row[0] or 0) <= live.number - LULL_S / BUCKET_S:
                break
            whole, degraded, failed = (int(count or 0) for count in row[1:4])
            questions += whole + degraded + failed
            lacking += degraded + failed
            reasons.update(why)
        return questions, lacking, dict(reasons.most_common())

    def _rows_from(self, number: int) -> list[Row]:
        rows = []
        for row, _ in reversed(self._past):
            if (row[0] or 0) < number:
                break
            rows.append(row)
        rows.reverse()
        return rows

    def _bucket(self, now: float) -> _Bucket:
        """The one of now; what came before is put away as a row, if anything happened."""
        number = int(now // BUCKET_S)
        if number > self._live.number:
            row = self._live.row()
            if any(row[1:]):
                self._past.append((row, self._live.reasons))
            self._live = _Bucket(number)
        return self._live


class History:
    """Of all connections, by name."""

    def __init__(self) -> None:
        self._chronicles: dict[str, Chronicle] = {}

    def of(self, connection: str) -> Chronicle:
        """Made when it is first asked for."""
        chronicle = self._chronicles.get(connection)
        if chronicle is None:
            chronicle = self._chronicles[connection] = Chronicle()
        return chronicle

    def keep_only(self, connections: Collection[str]) -> None:
        """Forgets those that are configured no more."""
        for name in self._chronicles.keys() - set(connections):
            del self._chronicles[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._chronicles)
