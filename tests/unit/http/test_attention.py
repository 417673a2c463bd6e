"""What is broken, since when, why, and what to do: in words, from the status alone."""

from datetime import timedelta
from typing import Any

import pytest

from proxy.guard.breaker import GIVEN_BACK
from proxy.http.attention import Severity, findings, state_of, summary
from tests.unit.http.doubles import NOW

SINCE = "2026-03-01T11:48:00+00:00"
OPEN = {"state": "open", "opens_for_s": 4.2, "because": "unreachable: 6 of 10 exchanges failed"}
CLOSED = {"state": "closed", "opens_for_s": 0.0, "because": ""}


def history(**more: Any) -> dict[str, Any]:
    return {"questions": 40, "degraded": 0, "reasons": {}, "not_closed_since": {}, **more}


def status(connections: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "configuration": {"state": "good", "problems": []},
        "files": [],
        "listeners": {"data": "http://127.0.0.1:8650"},
        "connections": connections,
        "cache": {"store": "memory"},
        **more,
    }


def connection(**more: Any) -> dict[str, Any]:
    return {"vendor": "v", "identity": "identity", "history": history(), **more}


def test_nothing_is_found_where_all_is_well() -> None:
    shown = status({"a": connection(breakers={"vendor": CLOSED}), "b": connection()})
    assert findings(shown, NOW) == []
    told = summary(shown, [])
    assert (told["state"], told["headline"]) == ("well", "All is well")
    assert told["more"].startswith("80 questions in the last minute over 2 connections")


def test_an_open_breaker_says_since_when_why_and_what_to_type() -> None:
    broken = connection(
        breakers={"vendor": OPEN, "token": OPEN},
        history=history(degraded=40, degraded_last=SINCE, not_closed_since={"vendor": SINCE}),
    )
    shown = status({"well": connection(), "amdocs": broken})
    (found,) = findings(shown, NOW)
    assert (found.severity, found.connection, found.since) == (Severity.BROKEN, "amdocs", SINCE)
    assert found.why == OPEN["because"]
    assert "by itself in 4 s" in found.remedy
    assert found.command == "bss-sidecar doctor --connection amdocs"
    assert state_of("well", [found]) == "well"
    assert summary(shown, [found])["headline"] == "amdocs is broken"
    assert summary(shown, [found])["more"].startswith("The other one answers in full.")


@pytest.mark.parametrize(
    ("ends", "severity"), [(NOW + timedelta(minutes=4), "soon"), (NOW, "broken")]
)
def test_a_dead_token_endpoint_is_no_outage_while_there_is_a_token(
    ends: Any, severity: str
) -> None:
    one = connection(breakers={"vendor": CLOSED, "token": OPEN}, token_ends_at=ends.isoformat())
    (found,) = findings(status({"a": one}), NOW)
    assert found.severity == severity


@pytest.mark.parametrize(
    ("state", "severity", "words"),
    [("forced_open", "broken", "nothing is sent"), ("forced_closed", "soon", "whatever fails")],
)
def test_a_force_says_how_to_give_it_back(state: str, severity: str, words: str) -> None:
    one = connection(breakers={"token": {"state": state, "forced_since": SINCE}})
    (found,) = findings(status({"a": one}), NOW)
    assert (found.severity, found.since) == (severity, SINCE)
    assert words in found.what
    assert found.command == "bss-sidecar breaker a auto --breaker token"


def test_a_breaker_that_was_given_back_is_no_outage() -> None:
    breaker = {"state": "half_open", "because": GIVEN_BACK}
    (found,) = findings(status({"a": connection(breakers={"vendor": breaker})}), NOW)
    assert found.severity is Severity.SOON


@pytest.mark.parametrize(
    ("degraded", "ago_s", "state"),
    [(3, 1, "degraded"), (40, 1, "broken"), (3, 16, "well"), (0, 1, "well")],
)
def test_answers_that_lack_something_count_while_they_go_on(
    degraded: int, ago_s: float, state: str
) -> None:
    last = (NOW - timedelta(seconds=ago_s)).isoformat()
    past = history(
        degraded=degraded, degraded_last=last, degraded_since=SINCE, reasons={"tls": degraded}
    )
    found = findings(status({"a": connection(history=past)}), NOW)
    assert state_of("a", found) == state
    assert [one.since for one in found] == ([] if state == "well" else [SINCE])


def test_the_worst_and_the_oldest_come_first() -> None:
    early, late = "2026-03-01T01:00:00+00:00", "2026-03-01T02:00:00+00:00"
    shown = status(
        {
            "late": connection(
                breakers={"vendor": OPEN}, history=history(not_closed_since={"vendor": late})
            ),
            "early": connection(
                breakers={"vendor": OPEN}, history=history(not_closed_since={"vendor": early})
            ),
            "soon": connection(breakers={"vendor": {"state": "forced_closed"}}),
        }
    )
    assert [one.connection for one in findings(shown, NOW)] == ["early", "late", "soon"]


def test_a_bad_configuration_a_closed_door_and_a_bad_file_are_told() -> None:
    problems = [{"path": f"tenants.{n}", "remedy": "mend it"} for n in range(5)]
    shown = status(
        {},
        configuration={"state": "bad", "problems": problems},
        listeners={"admin": "not open: the port is taken"},
        files=[{"connection": "a", "file": "/x", "what": "is bad", "remedy": "mount another"}],
        cache={"breakers": {"reads": OPEN}, "failure": "timeout", "problem": "no keys"},
    )
    found = findings(shown, NOW)
    assert [one.severity for one in found] == ["broken", "soon", "soon", "soon", "soon"]
    assert found[0].why.endswith("and 2 more")
    assert "Mount another." in [one.remedy for one in found]
    assert summary(shown, found)["state"] == "broken"


@pytest.mark.parametrize(("days", "severities"), [(20, []), (5, ["soon"]), (-1, ["broken"])])
def test_a_certificate_is_spoken_of_when_its_renewal_was_missed(
    days: int, severities: list[str]
) -> None:
    facts = {
        "not_before": (NOW - timedelta(days=30 - days)).isoformat(),
        "not_after": (NOW + timedelta(days=days)).isoformat(),
    }
    found = findings(status({"a": connection(client_certificate=[facts])}), NOW)
    assert [one.severity for one in found] == severities


@pytest.mark.parametrize(
    ("lacking", "words"), [(0, "every answer whole."), (1, "One answer lacked"), (3, "3 answers")]
)
def test_all_is_well_again_tells_of_what_lacked_something_within_the_minute(
    lacking: int, words: str
) -> None:
    long_ago = history(degraded=lacking, degraded_last=(NOW - timedelta(seconds=40)).isoformat())
    shown = {"connections": {"amdocs": {"history": long_ago}}, "cache": {}}
    told = summary(shown, [])
    assert told["headline"] == "All is well"
    assert words in told["more"]
    assert ("every answer whole" in told["more"]) == (not lacking)
