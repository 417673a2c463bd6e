"""The last minutes of a connection: bounded, and true to what happened."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import Reason
from proxy.telemetry.history import (
    BUCKET_S,
    BUCKETS,
    CHANGES,
    COLUMNS,
    LULL_S,
    Chronicle,
    Glance,
    History,
)
from proxy.telemetry.records import BreakerRecord, BreakerState, Outcome

T0 = 1_000_000.0
CLOSED = BreakerRecord(connection="amdocs", name="vendor", state=BreakerState.CLOSED)
OPEN = replace(CLOSED, state=BreakerState.OPEN, because="unreachable: 6 of 10 exchanges failed")
HALF_OPEN = replace(CLOSED, state=BreakerState.HALF_OPEN)
FORCED = replace(CLOSED, state=BreakerState.FORCED_OPEN)


@pytest.fixture
def chronicle() -> Chronicle:
    return Chronicle()


def whole(chronicle: Chronicle, now: float, took_s: float = 0.02) -> None:
    chronicle.answered(Outcome.ANSWERED, None, took_s, now=now)


def lacking(chronicle: Chronicle, now: float, reason: Reason = Reason.UNREACHABLE) -> None:
    chronicle.answered(Outcome.DEGRADED, reason, 0.4, now=now)


def column(glance: Glance, name: str) -> list[int | float | None]:
    return [row[COLUMNS.index(name)] for row in glance.rows]


def test_a_row_counts_what_ended_within_its_five_seconds(chronicle: Chronicle) -> None:
    whole(chronicle, T0)
    whole(chronicle, T0 + BUCKET_S - 0.001)
    chronicle.answered(Outcome.MISSING, None, 0.01, now=T0 + 1)
    lacking(chronicle, T0 + 2)
    chronicle.answered(Outcome.FAILED, None, 0.01, now=T0 + 2)
    chronicle.exchanged(None, 0.02, now=T0 + 3)
    chronicle.exchanged(Reason.TLS, 0.02, now=T0 + 3)
    chronicle.exchanged(Reason.BREAKER_OPEN, None, now=T0 + 3)
    chronicle.cached(3, 2, now=T0 + 4)
    whole(chronicle, T0 + BUCKET_S)
    glance = chronicle.glance(T0 + BUCKET_S)
    assert column(glance, "bucket") == [T0 / BUCKET_S, T0 / BUCKET_S + 1]
    assert column(glance, "answered") == [3, 1]
    assert column(glance, "degraded") == [1, 0]
    assert column(glance, "failed") == [1, 0]
    assert [column(glance, name)[0] for name in ("ok", "exchange_failed", "not_sent")] == [1, 1, 1]
    assert [column(glance, name)[0] for name in ("cache_hits", "cache_misses")] == [3, 2]


def test_a_pod_that_hung_up_says_nothing(chronicle: Chronicle) -> None:
    chronicle.answered(Outcome.CANCELLED, None, 3.0, now=T0)
    assert chronicle.glance(T0).rows == ()


def test_minutes_without_anything_take_no_rows(chronicle: Chronicle) -> None:
    whole(chronicle, T0)
    whole(chronicle, T0 + 300)
    assert len(chronicle.glance(T0 + 300).rows) == 2


def test_only_rows_from_the_bucket_asked_for_are_told(chronicle: Chronicle) -> None:
    for step in range(4):
        whole(chronicle, T0 + step * BUCKET_S)
    now = T0 + 3 * BUCKET_S
    told = chronicle.glance(now, since=int(now // BUCKET_S) - 1)
    assert column(told, "bucket") == [now // BUCKET_S - 1, now // BUCKET_S]


@given(st.lists(st.tuples(st.floats(0, 90), st.booleans()), max_size=400))
def test_whatever_comes_it_keeps_ten_minutes_and_no_more(story: list[tuple[float, bool]]) -> None:
    chronicle, now = Chronicle(), T0
    told: list[float] = []
    for pause_s, good in story:
        now += pause_s
        told.append(now)
        (whole if good else lacking)(chronicle, now)
        chronicle.breaker_changed(CLOSED if good else OPEN, now=now)
    glance = chronicle.glance(now)
    assert len(glance.rows) <= BUCKETS
    assert len(chronicle._past) < BUCKETS, "what is older is not kept either"
    assert len(glance.changes) <= CHANGES
    first = now // BUCKET_S - BUCKETS
    recent = sum(1 for at in told if at // BUCKET_S > first)
    assert sum(int(sum(row[1:4])) for row in glance.rows) == recent  # type: ignore[arg-type]  # counts
    assert glance.questions <= len(told)


@given(st.lists(st.floats(0.0005, 11), min_size=1, max_size=200))
def test_a_quantile_is_never_too_short_and_at_most_a_quarter_too_long(times: list[float]) -> None:
    chronicle = Chronicle()
    for took_s in times:
        whole(chronicle, T0, took_s)
    (row,) = chronicle.glance(T0).rows
    for share, name in ((0.5, "question_p50_ms"), (0.95, "question_p95_ms")):
        rank = max(0, -int(-share * len(times) // 1) - 1)
        true_ms = sorted(times)[rank] * 1000
        shown = row[COLUMNS.index(name)]
        assert shown is not None
        assert true_ms * 0.99 <= shown <= true_ms * 1.26


def test_degraded_answers_are_one_story_until_a_lull(chronicle: Chronicle) -> None:
    for second in range(0, 200, 10):
        lacking(chronicle, T0 + second)
        whole(chronicle, T0 + second + 1)
    assert chronicle.glance(T0 + 200).degraded_since == T0
    assert chronicle.glance(T0 + 190 + LULL_S).degraded_since is None
    lacking(chronicle, T0 + 400)
    assert chronicle.glance(T0 + 401).degraded_since == T0 + 400


def test_the_last_minute_says_how_many_lacked_something_and_why(chronicle: Chronicle) -> None:
    lacking(chronicle, T0 - 70, Reason.AUTH)
    for _ in range(3):
        lacking(chronicle, T0 - 20)
    lacking(chronicle, T0, Reason.TLS)
    whole(chronicle, T0)
    glance = chronicle.glance(T0)
    assert (glance.questions, glance.degraded) == (5, 4)
    assert list(glance.reasons.items()) == [("unreachable", 3), ("tls", 1)]


def test_since_when_a_breaker_is_not_closed_outlives_its_probes(chronicle: Chronicle) -> None:
    for hour in range(3):
        chronicle.breaker_changed(OPEN, now=T0 + hour * 3600)
        chronicle.breaker_changed(HALF_OPEN, now=T0 + hour * 3600 + 30)
    assert chronicle.glance(T0 + 9000).not_closed_since == {"vendor": T0}
    chronicle.breaker_changed(CLOSED, now=T0 + 9001)
    assert chronicle.glance(T0 + 9002).not_closed_since == {}


def test_a_force_is_told_from_its_own_beginning(chronicle: Chronicle) -> None:
    chronicle.breaker_changed(OPEN, now=T0)
    chronicle.breaker_changed(FORCED, now=T0 + 60)
    assert chronicle.glance(T0 + 61).not_closed_since == {"vendor": T0 + 60}


def test_a_change_says_what_was_before_and_the_same_twice_is_none(chronicle: Chronicle) -> None:
    chronicle.breaker_changed(CLOSED, now=T0)
    chronicle.breaker_changed(OPEN, now=T0 + 1)
    chronicle.breaker_changed(OPEN, now=T0 + 2)
    (change,) = chronicle.glance(T0 + 3).changes
    assert (change.at, change.before, change.state) == (T0 + 1, "closed", "open")
    assert change.because == OPEN.because


def test_an_hour_of_questions_and_changes_takes_no_more_room_than_ten_minutes(
    chronicle: Chronicle,
) -> None:
    for step in range(3600 // BUCKET_S):
        whole(chronicle, T0 + step * BUCKET_S)
        chronicle.breaker_changed(OPEN if step % 2 else CLOSED, now=T0 + step * BUCKET_S)
    assert len(chronicle._past) == BUCKETS - 1
    assert len(chronicle._changes) == CHANGES


def test_probes_that_fail_are_counted_and_push_nothing_else_out(chronicle: Chronicle) -> None:
    chronicle.breaker_changed(OPEN, now=T0)
    for step in range(200):
        chronicle.breaker_changed(HALF_OPEN, now=T0 + 2 * step + 1)
        chronicle.breaker_changed(OPEN, now=T0 + 2 * step + 2)
    chronicle.breaker_changed(HALF_OPEN, now=T0 + 500)
    chronicle.breaker_changed(CLOSED, now=T0 + 501)
    opened, probed, closed = chronicle.glance(T0 + 502).changes
    assert (opened.at, opened.before, opened.state) == (T0, "closed", "open")
    assert opened.failed_probes == 200
    assert (probed.at, probed.before, probed.state) == (T0 + 500, "open", "half_open")
    assert (closed.before, closed.state) == ("half_open", "closed")


def test_a_failed_probe_of_one_breaker_is_not_counted_with_another(chronicle: Chronicle) -> None:
    for name in ("vendor", "token"):
        chronicle.breaker_changed(replace(OPEN, name=name), now=T0)
    chronicle.breaker_changed(HALF_OPEN, now=T0 + 1)
    chronicle.breaker_changed(OPEN, now=T0 + 2)
    assert {one.breaker: one.failed_probes for one in chronicle.glance(T0 + 3).changes} == {
        "vendor": 1,
        "token": 0,
    }


def test_connections_that_are_configured_no_more_are_forgotten() -> None:
    history = History()
    for name in ("amdocs", "csg"):
        history.of(name)
    history.keep_only({"csg": 1, "new": 2})
    assert set(history) == {"csg"}
