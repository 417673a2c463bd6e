import pytest

from adapters.outcome import LookupFailed, NotAsked, Reason
from config import settings
from proxy.guard.verdict import Verdict, verdict

SETTING = settings.Breaker.model_validate({"fair_chance": "250ms"})
OURS = {
    Reason.BREAKER_OPEN,
    Reason.CONFIGURATION,
    Reason.IDENTITY,
    Reason.STALE,
}


def said(failure: LookupFailed | None, *, took_s: float = 0.3, late_s: float = 0.0) -> Verdict:
    return verdict(failure, took_s=took_s, late_s=late_s, setting=SETTING)


def test_a_valid_answer_is_a_success_however_long_it_took() -> None:
    assert said(None) is Verdict.SUCCESS
    assert said(None, took_s=60.0, late_s=50.0) is Verdict.SUCCESS


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_is_either_the_vendors_fault_or_says_nothing(reason: Reason) -> None:
    wanted = Verdict.NEITHER if reason in OURS else Verdict.FAILURE
    assert said(LookupFailed(reason)) is wanted


@pytest.mark.parametrize("reason", list(Reason))
def test_a_vendor_that_was_not_asked_is_not_to_blame(reason: Reason) -> None:
    assert said(NotAsked(reason, retry_after_s=5.0), took_s=10.0) is Verdict.NEITHER


@pytest.mark.parametrize(
    ("took_s", "late_s", "wanted"),
    [
        (0.249, 0.0, Verdict.NEITHER),
        (0.25, 0.0, Verdict.FAILURE),
        (0.25, 0.01, Verdict.NEITHER),
        (0.3, 0.05, Verdict.FAILURE),
        (0.0, 0.0, Verdict.NEITHER),
    ],
)
def test_a_deadline_blames_a_vendor_that_had_a_fair_chance(
    took_s: float, late_s: float, wanted: Verdict
) -> None:
    assert said(LookupFailed(Reason.DEADLINE), took_s=took_s, late_s=late_s) is wanted


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.DEADLINE])
def test_a_timeout_in_a_late_event_loop_is_not_held_against_the_vendor(reason: Reason) -> None:
    assert said(LookupFailed(reason), took_s=1.0, late_s=0.25) is Verdict.FAILURE
    assert said(LookupFailed(reason), took_s=1.0, late_s=0.26) is Verdict.NEITHER


def test_a_connection_refused_at_once_is_refused_also_when_the_event_loop_is_a_little_late() -> (
    None
):
    refused = LookupFailed(Reason.UNREACHABLE)
    assert said(refused, took_s=0.002, late_s=0.001) is Verdict.FAILURE
    assert said(refused, took_s=0.06, late_s=0.051) is Verdict.NEITHER


@pytest.mark.parametrize(
    "reason", [Reason.VENDOR_ERROR, Reason.RATE_LIMITED, Reason.AUTH, Reason.BAD_RESPONSE]
)
def test_what_a_vendor_said_stands_however_late_we_heard_it(reason: Reason) -> None:
    assert said(LookupFailed(reason), took_s=1.0, late_s=0.9) is Verdict.FAILURE


def test_a_refusal_of_one_request_is_not_held_against_the_vendor() -> None:
    odd = LookupFailed(Reason.VENDOR_ERROR, "HTTP 400", lasting=True)
    assert said(odd) is Verdict.NEITHER
    forbidden = LookupFailed(Reason.AUTH, "HTTP 403", lasting=True)
    assert said(forbidden) is Verdict.FAILURE
