"""A certificate's end is spoken of by the share of its life that is left, and not all the time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.telemetry.lifetimes import AGAIN, Reminders, Urgency, urgency
from proxy.telemetry.records import CertificateRecord

BEGIN = datetime(2026, 11, 22, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def certificate(life: timedelta, role: str = "client") -> CertificateRecord:
    return CertificateRecord(role=role, subject="CN=x", begins=BEGIN, ends=BEGIN + life)


@pytest.mark.parametrize(
    ("life", "age", "level"),
    [
        (DAY, HOUR, Urgency.NONE),
        (DAY, 16 * HOUR, Urgency.NONE),  # when an issuer renews at two thirds
        (DAY, 19 * HOUR, Urgency.LATE),
        (DAY, 22 * HOUR, Urgency.URGENT),
        (DAY, DAY, Urgency.ENDED),
        (365 * DAY, 200 * DAY, Urgency.NONE),
        (365 * DAY, 300 * DAY, Urgency.LATE),
        (365 * DAY, 340 * DAY, Urgency.URGENT),
    ],
)
def test_a_certificate_of_a_day_and_one_of_a_year_are_measured_by_their_own_lives(
    life: timedelta, age: timedelta, level: Urgency
) -> None:
    assert urgency(BEGIN, BEGIN + life, BEGIN + age) is level


@given(st.floats(1, 1e8), st.floats(0, 2), st.floats(0, 2))
def test_it_never_becomes_less_urgent_with_time(life_s: float, one: float, other: float) -> None:
    ends = BEGIN + timedelta(seconds=life_s)
    earlier, later = sorted((one, other))
    assert urgency(BEGIN, ends, BEGIN + timedelta(seconds=life_s * earlier)) <= urgency(
        BEGIN, ends, BEGIN + timedelta(seconds=life_s * later)
    )


def test_each_step_is_told_once_and_then_once_a_day() -> None:
    reminders, one = Reminders(), certificate(100 * DAY)
    told = [
        (hours // 24, reminder.urgency)
        for hours in range(24 * 103)
        for reminder in reminders.due([("amdocs", one)], BEGIN + hours * HOUR)
    ]
    days = [day for day, _ in told]
    assert days == list(range(75, 103))
    levels = [Urgency.LATE] * 15 + [Urgency.URGENT] * 10 + [Urgency.ENDED] * 3
    assert [level for _, level in told] == levels


def test_a_renewed_certificate_is_told_of_anew_and_the_old_one_is_forgotten() -> None:
    reminders = Reminders()
    old, new = certificate(DAY), certificate(DAY + HOUR)
    late = BEGIN + 20 * HOUR
    assert len(list(reminders.due([("a", old)], late))) == 1
    assert list(reminders.due([("a", old)], late + HOUR / 2)) == []
    assert list(reminders.due([], late)) == []
    assert len(list(reminders.due([("a", old), ("b", new)], late))) == 2
    assert AGAIN == DAY
