from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import LookupFailed, Reason
from proxy.exchange.replies import RawReply, answer, check_content_type, refusal, retry_after_s

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("status", [200, 204, 206, 404, 416])
def test_these_statuses_are_answers(status: int) -> None:
    assert refusal(RawReply(status, {}, b""), NOW) is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (201, Reason.BAD_RESPONSE),
        (205, Reason.BAD_RESPONSE),
        (301, Reason.BAD_RESPONSE),
        (302, Reason.BAD_RESPONSE),
        (304, Reason.BAD_RESPONSE),
        (308, Reason.BAD_RESPONSE),
        (400, Reason.VENDOR_ERROR),
        (401, Reason.AUTH),
        (403, Reason.AUTH),
        (405, Reason.VENDOR_ERROR),
        (407, Reason.BAD_RESPONSE),
        (410, Reason.VENDOR_ERROR),
        (429, Reason.RATE_LIMITED),
        (500, Reason.VENDOR_ERROR),
        (503, Reason.VENDOR_ERROR),
        (599, Reason.VENDOR_ERROR),
    ],
)
def test_every_other_status_has_its_reason(status: int, reason: Reason) -> None:
    failure = refusal(RawReply(status, {}, b"canary"), NOW)
    assert failure is not None
    assert (failure.reason, failure.detail) == (reason, f"HTTP {status}")


@pytest.mark.parametrize(
    ("status", "lasting"),
    [
        *((status, True) for status in (400, 405, 406, 410, 422, 431)),
        *((status, False) for status in (408, 425, 429, 500, 502, 503, 504)),
    ],
)
def test_a_status_that_blames_the_request_will_not_be_another_next_time(
    status: int,
    lasting: bool,  # noqa: FBT001
) -> None:
    failure = refusal(RawReply(status, {}, b""), NOW)
    assert failure is not None
    assert failure.lasting is lasting


@pytest.mark.parametrize(("status", "told"), [(429, 7.0), (503, 7.0), (500, None), (401, None)])
def test_retry_after_counts_where_it_means_that(status: int, told: float | None) -> None:
    failure = refusal(RawReply(status, {"retry-after": "7"}, b""), NOW)
    assert failure is not None
    assert failure.retry_after_s == told


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("999999999999999999999", 3600.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str | None, seconds: float | None) -> None:
    assert retry_after_s(said, NOW) == seconds


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(minutes=10), timedelta(hours=-2)])
def test_a_date_means_what_it_does_by_the_clock_of_whoever_wrote_it(ahead: timedelta) -> None:
    theirs = NOW + ahead
    headers = {
        "date": format_datetime(theirs, usegmt=True),
        "retry-after": format_datetime(theirs + timedelta(seconds=7), usegmt=True),
    }
    failure = refusal(RawReply(429, headers, b""), NOW)
    assert failure is not None
    assert failure.retry_after_s == 7


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 01 Mar 2026 12:00:00 GMT, Sun"])
def test_without_a_readable_clock_of_theirs_ours_must_do(date: str) -> None:
    until = format_datetime(NOW + timedelta(seconds=7), usegmt=True)
    failure = refusal(RawReply(429, {"date": date, "retry-after": until}, b""), NOW)
    assert failure is not None
    assert failure.retry_after_s == 7


@given(st.text(max_size=40))
def test_whatever_retry_after_says_it_is_bounded(said: str) -> None:
    seconds = retry_after_s(said, NOW)
    assert seconds is None or 0 <= seconds <= 3600


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/problem+json",
        "application/json; charset=us-ascii; profile=x",
    ],
)
def test_these_content_types_are_json(content_type: str) -> None:
    check_content_type(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/html",
        "text/plain",
        "application/jsonp",
        "text/json+json",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
    ],
)
def test_these_are_not(content_type: str) -> None:
    with pytest.raises(LookupFailed) as failed:
        check_content_type(content_type)
    assert failed.value.reason is Reason.BAD_RESPONSE


def test_a_204_has_no_body_whatever_comes_with_it() -> None:
    assert answer(RawReply(204, JSON, b"garbage")).body is None


@pytest.mark.parametrize("status", [200, 206])
@pytest.mark.parametrize(
    ("headers", "body"), [(JSON, b""), (JSON, b"{"), ({"content-type": "text/html"}, b"[]")]
)
def test_an_answer_without_json_is_a_bad_response(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    with pytest.raises(LookupFailed) as failed:
        answer(RawReply(status, headers, body))
    assert failed.value.reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize("status", [404, 416])
@pytest.mark.parametrize(
    ("headers", "body"), [(JSON, b""), (JSON, b"{"), ({"content-type": "text/html"}, b"<p>")]
)
def test_what_a_404_without_json_means_is_left_to_the_adapter(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    reply = answer(RawReply(status, headers, body))
    assert (reply.status, reply.body) == (status, None)


def test_a_404_with_json_keeps_it() -> None:
    assert answer(RawReply(404, JSON, b'{"code": "60"}')).body == {"code": "60"}


def test_a_raw_reply_shows_nothing_of_what_it_holds() -> None:
    assert repr(RawReply(200, {"x": "canary"}, b"canary")) == "RawReply(status=200)"
