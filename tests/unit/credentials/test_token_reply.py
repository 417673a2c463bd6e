import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import LookupFailed, Reason
from proxy.credentials.token_reply import LARGEST_TOKEN, LONGEST_LIFE_S, IssuedToken, issued_token

CANARY = "canary-4711"
GOOD = {"access_token": CANARY, "token_type": "Bearer", "expires_in": 300}
MISSING = object()


@dataclass(frozen=True)
class Reply:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    body: bytes = b""


def reply(**fields: Any) -> Reply:
    content = {name: value for name, value in (GOOD | fields).items() if value is not MISSING}
    return Reply(body=json.dumps(content).encode())


def refusal(of: Reply) -> LookupFailed:
    with pytest.raises(LookupFailed) as failed:
        issued_token(of)
    told = "".join(traceback.format_exception(failed.value)) + str(failed.value.__context__)
    assert CANARY not in told
    assert failed.value.reason is Reason.AUTH
    return failed.value


@pytest.mark.parametrize(
    ("fields", "life_s"),
    [
        ({}, 300),
        ({"token_type": "bearer", "scope": "x", "refresh_token": "y"}, 300),
        ({"expires_in": "3600"}, 3600),
        ({"expires_in": 59.9}, 59),
        ({"expires_in": LONGEST_LIFE_S}, LONGEST_LIFE_S),
        ({"expires_in": 1}, 1),
    ],
)
def test_a_clear_reply_is_a_token(fields: dict[str, Any], life_s: int) -> None:
    assert issued_token(reply(**fields)) == IssuedToken(CANARY, life_s)


@pytest.mark.parametrize(
    "expires_in",
    [
        MISSING,
        None,
        0,
        -1,
        0.5,
        True,
        "abc",
        "",
        "-1",
        "1e9",
        "²",
        "9" * 40,
        [300],
        {},
        LONGEST_LIFE_S + 1,
        1e300,
        float("nan"),
        float("inf"),
    ],
)
def test_a_life_that_is_not_clear_is_refused(expires_in: object) -> None:
    assert "expires_in" in refusal(reply(expires_in=expires_in)).detail


@pytest.mark.parametrize("token_type", [MISSING, None, "", "MAC", "DPoP", 1, ["Bearer"]])
def test_another_kind_of_token_is_refused(token_type: object) -> None:
    assert "token_type" in refusal(reply(token_type=token_type)).detail


@pytest.mark.parametrize(
    "access_token",
    [
        MISSING,
        None,
        "",
        7,
        [],
        f"{CANARY} x",
        f"{CANARY}\r\nX: y",
        f"{CANARY}ä",
        CANARY * LARGEST_TOKEN,
    ],
)
def test_a_token_that_no_header_can_carry_is_refused(access_token: object) -> None:
    assert "access_token" in refusal(reply(access_token=access_token)).detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>" + CANARY.encode(),
        b"[]",
        b"null",
        b'"x"',
        b"[" * 100000,
        b"\xff\xfe",
        b'{"expires_in": ' + b"9" * 10000 + b"}",
    ],
)
def test_what_is_not_a_json_object_is_refused(body: bytes) -> None:
    assert "not a JSON object" in refusal(Reply(body=body)).detail


@pytest.mark.parametrize("content_type", ["", "text/html", "text/plain; x=application/json"])
def test_what_does_not_call_itself_json_is_refused(content_type: str) -> None:
    assert refusal(Reply(headers={"content-type": content_type}, body=reply().body))


@pytest.mark.parametrize("status", [201, 204, 302, 400, 401, 403, 429, 500, 503])
def test_another_status_than_200_is_refused_whatever_comes_with_it(status: int) -> None:
    assert f"HTTP {status}" in refusal(Reply(status=status, body=reply().body)).detail
    assert f"HTTP {status}" in refusal(Reply(status=status, body=CANARY.encode())).detail


@pytest.mark.parametrize(
    ("error", "told"), [("invalid_client", " invalid_client"), (CANARY, ""), (["x"], "")]
)
def test_an_error_of_the_closed_list_is_told_and_no_other(error: object, told: str) -> None:
    body = json.dumps({"error": error, "error_description": CANARY}).encode()
    assert refusal(Reply(status=401, body=body)).detail == f"the token endpoint: HTTP 401{told}"


@given(
    st.dictionaries(
        st.sampled_from(["access_token", "token_type", "expires_in"]),
        st.none() | st.booleans() | st.text() | st.floats() | st.integers() | st.just([]),
    )
)
def test_what_is_taken_can_be_sent_and_ends(fields: dict[str, Any]) -> None:
    try:
        token = issued_token(Reply(body=json.dumps(GOOD | fields).encode()))
    except LookupFailed:
        return
    assert token.value.isascii()
    assert 1 <= token.life_s <= LONGEST_LIFE_S


def test_a_token_shows_nothing_of_itself() -> None:
    assert CANARY not in repr(issued_token(reply()))
