"""Another's clock, read off the dates of its replies."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.exchange.skew import ClockSkew, skew_s

NOW = datetime(2026, 11, 22, 3, 12, 7, 400_000, tzinfo=UTC)
TOOK_S = 1.0


class Listener:
    def __init__(self) -> None:
        self.now = NOW
        self.skew = ClockSkew(lambda: self.now, took_s=TOOK_S)

    def hears(self, ahead_s: float, **more: str) -> float | None:
        date = format_datetime(self.now + timedelta(seconds=ahead_s), usegmt=True)
        self.skew.heard({"date": date, **more})
        return self.skew.seconds


@given(st.floats(0, TOOK_S), st.floats(0, 0.999))
def test_what_the_way_and_the_whole_seconds_explain_is_no_skew(took: float, part: float) -> None:
    assert skew_s(NOW - timedelta(seconds=took + part), NOW, TOOK_S) == pytest.approx(0, abs=1e-5)


@given(st.floats(-1e6, 1e6))
def test_a_skew_is_never_larger_than_the_difference_and_never_of_the_other_sign(
    ahead: float,
) -> None:
    found = skew_s(NOW + timedelta(seconds=ahead), NOW, TOOK_S)
    assert abs(found) <= abs(ahead) + 1e-6
    assert found * ahead >= 0
    assert abs(ahead) - abs(found) <= TOOK_S + 1.0 + 1e-6


def test_a_clock_that_is_ahead_is_positive_and_one_behind_is_negative() -> None:
    assert Listener().hears(120) == pytest.approx(120, abs=1)
    assert Listener().hears(-120) == pytest.approx(-118, abs=1)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "Sun, 99 Nov 2026 03:12:07 GMT", "0", "\x00", "Sun, 22 Nov 2026"]
)
def test_what_is_no_date_says_nothing(text: str) -> None:
    listener = Listener()
    listener.skew.heard({"date": text} if text else {})
    assert listener.skew.seconds is None


def test_a_date_without_a_zone_is_in_universal_time() -> None:
    listener = Listener()
    listener.skew.heard({"date": "Sun, 22 Nov 2026 03:14:07 -0000"})
    assert listener.skew.seconds == pytest.approx(119.6)


def test_a_reply_that_a_cache_kept_says_nothing_of_a_clock() -> None:
    assert Listener().hears(-3600, age="3600") is None


def test_one_reply_a_second_is_enough_and_the_latest_counts() -> None:
    listener = Listener()
    listener.hears(120)
    assert listener.hears(0) == pytest.approx(120, abs=1)
    listener.now += timedelta(seconds=1)
    assert listener.hears(0) == 0


def test_our_own_clock_may_step_back() -> None:
    listener = Listener()
    listener.hears(0)
    listener.now -= timedelta(hours=1)
    assert listener.hears(3600) == pytest.approx(3600, abs=1)
