"""An operator forces breakers over the admin listener; the page shows what each one does."""

from typing import Any

import pytest

from proxy.http.breaker_words import breaker_words, command
from tests.unit.http.test_ops_and_admin import STATUS, OperatorDouble, admin

ROUTE = "/v1/connections/vendor/breaker"
OPEN = {
    "state": "open",
    "opens_for_s": 4.24,
    "because": "unreachable: 6 of 10 exchanges <failed> in 10 s",
    "calls": 10,
    "failure_rate": 0.6,
    "slow_call_rate": 0.0,
}


@pytest.mark.parametrize(
    ("sent", "forced", "state"),
    [
        ({"force": "open"}, "open", "forced_open"),
        ({"force": "closed", "breaker": "vendor"}, "closed", "forced_closed"),
        ({"force": None}, None, "closed"),
    ],
)
async def test_the_answer_is_the_breaker_as_it_is_from_now_on(
    sent: dict[str, Any], forced: str | None, state: str
) -> None:
    operator = OperatorDouble()
    async with (
        admin(STATUS, operator) as client,
        client.ask("POST", ROUTE, json=sent, headers={"X-Correlation-ID": "night-1"}) as answer,
    ):
        assert (answer.status, await answer.json()) == (200, {"state": state})
    assert operator.asked == [("vendor", "vendor", forced, "night-1")]


@pytest.mark.parametrize(
    ("path", "sent", "kind"),
    [
        ("/v1/connections/other/breaker", {"force": "open"}, "unknown-connection"),
        (ROUTE, {"force": "open", "breaker": "fuse-447700900123"}, "unknown-breaker"),
    ],
)
async def test_what_is_not_there_is_404_with_what_there_is(
    path: str, sent: dict[str, Any], kind: str
) -> None:
    async with admin(STATUS) as client, client.ask("POST", path, json=sent) as answer:
        problem = await answer.json()
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"
    assert problem["type"].endswith(kind)
    assert problem["detail"] == "there are: vendor"
    assert "447700900123" not in str(problem)


@pytest.mark.parametrize(
    ("sent", "status", "pointer"),
    [
        (b"", 400, None),
        (b"[]", 422, "#"),
        (b"{}", 422, "#"),
        (b'{"force": "open", "until": "dawn"}', 422, "#"),
        (b'{"force": "ajar"}', 422, "#/force"),
        (b'{"force": true}', 422, "#/force"),
        (b'{"force": ["open"]}', 422, "#/force"),
        (b'{"force": "open", "breaker": 1}', 422, "#/breaker"),
        (b'{"force": "open", "breaker": null}', 422, "#/breaker"),
        (b'{"force": "open", "force": null}', 400, None),
        (b'{"force": "open"' + b" " * 5000 + b"}", 413, None),
    ],
)
async def test_what_is_not_understood_forces_nothing(
    sent: bytes, status: int, pointer: str | None
) -> None:
    operator, headers = OperatorDouble(), {"Content-Type": "application/json"}
    async with (
        admin(STATUS, operator) as client,
        client.ask("POST", ROUTE, data=sent, headers=headers) as answer,
    ):
        problem = await answer.json()
        assert answer.status == status
    assert operator.asked == []
    assert [one["pointer"] for one in problem.get("errors", [])] == ([pointer] if pointer else [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 403),
    ],
)
async def test_no_page_of_elsewhere_can_force_a_breaker(
    headers: dict[str, str], status: int
) -> None:
    operator = OperatorDouble()
    headers = {"Content-Type": "application/json", **headers}
    async with (
        admin(STATUS, operator) as client,
        client.ask("POST", ROUTE, data=b'{"force": "open"}', headers=headers) as answer,
    ):
        assert answer.status == status
    assert operator.asked == []


async def test_a_breaker_is_not_forced_by_looking_at_it() -> None:
    async with admin(STATUS) as client, client.ask("GET", ROUTE) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")


def test_a_forced_breaker_says_since_when_and_how_to_give_it_back() -> None:
    forced = {**OPEN, "state": "forced_open", "forced_since": "2026-11-22T03:12:07+00:00"}
    give_back = command("amdocs", "token")
    state, why = breaker_words(forced, command=give_back)
    assert state.endswith("nothing leaves, since 2026-11-22T03:12:07+00:00")
    assert why.startswith("`bss-sidecar breaker amdocs auto --breaker token` gives it back")
