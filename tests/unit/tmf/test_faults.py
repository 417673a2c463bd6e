"""What is an answer, and what is a fault in disguise."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.outcome import LookupFailed, Reason, Unavailable
from adapters.tmf.faults import CheckList, check_by_id, is_error, rows_in
from adapters.tmf.profile import Profile
from tests.unit.tmf.pretend import Asked, reply

TMF_ERROR = {"code": "21", "reason": "CANARY-4711", "message": "CANARY-4711"}
PROFILE = Profile(error_keys=("message",))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (TMF_ERROR, Reason.VENDOR_ERROR),
        ({**TMF_ERROR, "id": "trace"}, Reason.VENDOR_ERROR),
        ({"@type": "Error", "code": "CANARY-4711"}, Reason.VENDOR_ERROR),
        ({"Fault": {"Message": "CANARY-4711"}}, Reason.VENDOR_ERROR),
        ({"message": "CANARY-4711"}, Reason.VENDOR_ERROR),
        ({"status": "CANARY-4711"}, Reason.BAD_RESPONSE),
        ({}, Reason.BAD_RESPONSE),
        (None, Reason.BAD_RESPONSE),
        ("CANARY-4711", Reason.BAD_RESPONSE),
        (Decimal(4711), Reason.BAD_RESPONSE),
    ],
)
def test_trap_13_a_success_that_carries_no_list_is_a_fault_and_says_nothing_of_the_body(
    body: Any, reason: Reason
) -> None:
    with pytest.raises(LookupFailed) as failure:
        CheckList(PROFILE)(reply(body))
    assert failure.value.reason is reason
    assert "4711" not in f"{failure.value!r} {failure.value}"


async def test_a_fault_in_a_200_is_found_inside_the_guard() -> None:
    """`verify` runs there, so the fault counts against the vendor; the adapter learns the rest."""
    asked = Asked(lambda _request: reply({"Fault": {}}))
    assert await asked.billing("C1") == [Unavailable(Reason.VENDOR_ERROR)]
    with pytest.raises(LookupFailed):
        asked.exchange.requests[0].verify(reply({"Fault": {}}))


def test_trap_14_a_list_may_be_an_object_with_an_id() -> None:
    assert rows_in(reply({"id": "P1", "message": "a field of its own"}), ("message",)) == [
        {"id": "P1", "message": "a field of its own"}
    ]


def test_204_is_an_empty_list_and_an_empty_200_is_none() -> None:
    assert rows_in(reply(None, 204)) == []
    with pytest.raises(LookupFailed):
        rows_in(reply(None, 200))


def test_a_list_that_is_not_there_is_a_wrong_path_whatever_its_body() -> None:
    with pytest.raises(LookupFailed) as failure:
        CheckList(PROFILE)(reply(TMF_ERROR, 404))
    assert failure.value.reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize(
    ("body", "keys", "expected"),
    [
        ({"code": "1", "reason": "x"}, (), True),
        ({"code": "1", "reason": None}, (), False),
        ({"message": "x"}, (), False),
        ({"message": "x"}, ("message",), True),
        ({"message": "x"}, ("message", "path"), False),
        ([{"code": "1", "reason": "x"}], (), False),
        (None, ("message",), False),
    ],
)
def test_an_error_body_is_the_tm_forums_or_has_all_keys_of_the_vendors_own(
    body: Any, keys: tuple[str, ...], *, expected: bool
) -> None:
    assert is_error(body, keys) is expected


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ({"id": "C2"}, 200, Reason.BAD_RESPONSE),
        ([{"id": "C1"}], 200, Reason.BAD_RESPONSE),
        ({"name": "no id"}, 200, Reason.BAD_RESPONSE),
        (TMF_ERROR, 200, Reason.VENDOR_ERROR),
        (None, 204, Reason.BAD_RESPONSE),
        (None, 404, Reason.BAD_RESPONSE),
        ({"error": "no route"}, 404, Reason.BAD_RESPONSE),
    ],
)
def test_an_answer_by_id_is_that_resource_or_a_404_that_means_it(
    body: Any, status: int, reason: Reason
) -> None:
    with pytest.raises(LookupFailed) as failure:
        check_by_id(reply(body, status), PROFILE, asked="C1")
    assert failure.value.reason is reason


@pytest.mark.parametrize("resource", [{"id": "C1"}, {"id": " C1 ", "code": "a field"}])
def test_an_answer_by_id_may_hold_anything_else(resource: dict[str, str]) -> None:
    check_by_id(reply(resource), PROFILE, asked="C1")


def test_an_id_that_comes_as_a_number_is_the_id_that_was_asked_for() -> None:
    check_by_id(reply({"id": Decimal(12345678)}), PROFILE, asked="12345678")
