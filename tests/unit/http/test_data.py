"""The questions, over a real socket."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from adapters.call import Call
from adapters.outcome import Dispute, Found, LookupFailed, Missing, Reason, Unavailable
from proxy.cache.tally import Tally
from proxy.cache.vault import NotForgotten
from proxy.telemetry.records import Outcome, Question
from tests.unit.http.doubles import NOW, Client, Sidecar, found

A, B, C = (UUID(int=number) for number in (1, 2, 3))
PROBLEM = "urn:bss-sidecar:problem:"


def account(customer_id: UUID) -> str:
    return f"/v1/customers/{customer_id}/billing-account"


def asking(*customer_ids: UUID) -> dict[str, list[str]]:
    return {"customer_ids": [str(one) for one in customer_ids]}


async def test_a_known_customer_is_answered_with_the_contracts_model(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.adapter.billing[A] = found("9.99", "EUR")
    async with data.ask("GET", account(A)) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        assert await answer.json() == {
            "customer_id": str(A),
            "account_id": None,
            "plan_name": "Plan",
            "monthly_fee": 9.99,
            "currency": "EUR",
        }
        assert answer.headers["Cache-Status"] == "bss-sidecar; fwd=bypass"
        assert "BSS-Degraded" not in answer.headers


async def test_a_customer_unknown_to_the_vendor_is_404_with_a_type_of_its_own(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.adapter.billing[A] = Missing()
    async with data.ask("GET", account(A)) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"
        assert (await answer.json())["type"] == f"{PROBLEM}unknown-customer"
    assert sidecar.records[0].outcome is Outcome.MISSING
    assert sidecar.refusals == []


@pytest.mark.parametrize(("wait_s", "told"), [(None, "5"), (0.2, "1"), (17.1, "18"), (3600, "60")])
async def test_a_customer_nobody_can_speak_for_is_503_with_a_time_to_ask_again(
    data: Client, sidecar: Sidecar, wait_s: float | None, told: str
) -> None:
    sidecar.adapter.billing[A] = Unavailable(Reason.RATE_LIMITED, wait_s)
    async with data.ask("GET", account(A)) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == told
        assert answer.headers["BSS-Degraded"] == "rate_limited;unavailable=1"
        problem = await answer.json()
        assert problem["type"] == f"{PROBLEM}unavailable"
        assert problem["reason"] == "rate_limited"
    assert sidecar.records[0].outcome is Outcome.DEGRADED
    assert sidecar.records[0].reason is Reason.RATE_LIMITED


async def test_a_batch_is_summed_and_its_customers_counted_once(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.adapter.billing = {A: found("0.10"), B: found("0.20"), C: Missing()}
    async with data.ask("POST", "/v1/revenue-at-risk", json=asking(A, B, A, C)) as answer:
        assert answer.status == 200
        assert await answer.json() == {
            "total_revenue_at_risk": 0.3,
            "is_estimate": False,
            "source": "double",
            "priced_customer_count": 2,
            "unpriced_customer_count": 1,
            "requires_manual_valuation": True,
        }
        assert answer.headers["Cache-Status"] == "bss-sidecar; fwd=bypass"
        assert "BSS-Degraded" not in answer.headers


async def test_a_vendor_that_fails_leaves_a_valid_and_degraded_result(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.adapter.raises = LookupFailed(Reason.UNREACHABLE)
    async with data.ask("POST", "/v1/revenue-at-risk", json=asking(A, B)) as answer:
        assert answer.status == 200
        assert await answer.json() == {
            "total_revenue_at_risk": None,
            "is_estimate": True,
            "source": "double",
            "priced_customer_count": 0,
            "unpriced_customer_count": 2,
            "requires_manual_valuation": True,
        }
        assert answer.headers["BSS-Degraded"] == "unreachable;unavailable=2"


async def test_what_is_known_at_the_deadline_is_summed_and_the_rest_is_unpriced(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.adapter.billing = {A: found("5")}
    sidecar.adapter.held = asyncio.Event()
    short = {"X-Request-Timeout-Ms": "50"}
    async with data.ask("POST", "/v1/revenue-at-risk", json=asking(A, B), headers=short) as answer:
        result = await answer.json()
        assert answer.headers["BSS-Degraded"] == "deadline;unavailable=1"
    assert result["total_revenue_at_risk"] == 5.0
    assert result["is_estimate"] is True
    assert (result["priced_customer_count"], result["unpriced_customer_count"]) == (1, 1)


async def test_a_stale_answer_is_an_estimate_and_says_that_it_is_stale(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.adapter.billing = {A: Found(found("5").value, stale=True)}
    async with data.ask("POST", "/v1/revenue-at-risk", json=asking(A)) as answer:
        assert (await answer.json())["is_estimate"] is True
        assert answer.headers["BSS-Degraded"] == "stale;unavailable=0"


async def test_an_empty_batch_is_answered_without_asking_anybody(
    data: Client, sidecar: Sidecar
) -> None:
    async with data.ask("POST", "/v1/revenue-at-risk", json=asking()) as answer:
        result = await answer.json()
        assert answer.status == 200
        assert "Cache-Status" not in answer.headers
    async with data.ask("POST", "/v1/disputes", json=asking()) as answer:
        assert await answer.json() == {"customer_ids": [], "unavailable_customer_ids": []}
    assert result["total_revenue_at_risk"] is None
    assert result["requires_manual_valuation"] is False
    assert result["is_estimate"] is False
    assert sidecar.adapter.calls == []


async def test_disputes_and_the_unavailable_come_in_the_order_asked_each_once(
    data: Client, sidecar: Sidecar
) -> None:
    yes, gone = Found(Dispute(active=True)), Unavailable(Reason.IDENTITY)
    d, e = uuid4(), uuid4()
    sidecar.adapter.disputes = {A: yes, B: Found(Dispute(active=False)), C: yes, d: gone, e: gone}
    async with data.ask("POST", "/v1/disputes", json=asking(e, C, B, A, C, d, e)) as answer:
        assert answer.status == 200
        assert await answer.json() == {
            "customer_ids": [str(C), str(A)],
            "unavailable_customer_ids": [str(e), str(d)],
        }
        assert answer.headers["BSS-Degraded"] == "identity;unavailable=2"


async def test_disputes_of_which_nobody_can_speak_are_503(data: Client, sidecar: Sidecar) -> None:
    sidecar.adapter.raises = LookupFailed(Reason.AUTH, retry_after_s=9)
    async with data.ask("POST", "/v1/disputes", json=asking(A, B)) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "9"
        assert answer.headers["BSS-Degraded"] == "auth;unavailable=2"
        assert (await answer.json())["reason"] == "auth"


async def test_a_forgotten_customer_is_dropped_from_what_is_remembered(
    data: Client, sidecar: Sidecar
) -> None:
    headers = {"Content-Type": "application/json"}
    async with data.ask("DELETE", f"/v1/customers/{A}/cache", headers=headers) as answer:
        assert answer.status == 204
        assert await answer.read() == b""
        assert answer.headers["Cache-Control"] == "no-store"
    assert sidecar.forgotten == [A]


async def test_a_shared_store_that_can_t_be_told_to_forget_is_503_and_says_when_all_is_gone(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.not_forgotten = NotForgotten("timeout")
    headers = {"Content-Type": "application/json"}
    async with data.ask("DELETE", f"/v1/customers/{A}/cache", headers=headers) as answer:
        assert answer.status == 503
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        problem = await answer.json()
    assert problem["type"] == f"{PROBLEM}not-forgotten"
    gone = datetime.fromisoformat(problem["nothing_left_after"])
    assert gone == NOW + timedelta(seconds=300)
    assert sidecar.forgotten == [A], "what this process knows is gone in any case"
    assert sidecar.errors == [], "it is foreseen"


async def test_what_the_cache_did_is_said_of_each_answer(data: Client, sidecar: Sidecar) -> None:
    def note(call: Call) -> None:
        tally = call.tally
        assert isinstance(tally, Tally)
        tally.hit(fresh_for_ms=21_500, negative=False)
        if call.is_batch:
            tally.misses += 1

    sidecar.adapter.billing |= {A: found("9.99"), B: found("1.00")}
    sidecar.adapter.disputes |= {A: Found(Dispute(active=True)), B: Found(Dispute(active=False))}
    sidecar.adapter.noting = note
    async with data.ask("GET", account(A)) as answer:
        assert answer.headers["Cache-Status"] == "bss-sidecar; hit; ttl=21"
    for path in ("/v1/revenue-at-risk", "/v1/disputes"):
        async with data.ask("POST", path, json=asking(A, B)) as answer:
            said = answer.headers["Cache-Status"]
            assert said == 'bss-sidecar; fwd=partial; detail="hits=1,misses=1"'
    async with data.ask("POST", "/v1/disputes", json=asking()) as answer:
        assert "Cache-Status" not in answer.headers, "nobody was looked for"


async def test_forgetting_changes_state_so_it_needs_the_content_type(
    data: Client, sidecar: Sidecar
) -> None:
    async with data.ask("DELETE", f"/v1/customers/{A}/cache") as answer:
        assert answer.status == 415
    assert sidecar.forgotten == []


@pytest.mark.parametrize("tenant", ["nobody", "ACME", "a", "acme ../x", "acme,acme"])
async def test_a_tenant_that_is_named_never_becomes_the_default_one(
    data: Client, sidecar: Sidecar, tenant: str
) -> None:
    sidecar.runtime.default_tenant = "acme"
    async with data.ask("GET", account(A), headers={"X-Tenant-ID": tenant}) as answer:
        assert answer.status == 404
        assert (await answer.json())["type"] == f"{PROBLEM}unknown-tenant"
    assert sidecar.adapter.calls == []


async def test_a_tenant_named_twice_is_no_tenant(data: Client) -> None:
    answer = await data.raw(
        f"GET {account(A)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        "X-Tenant-ID: acme\r\nX-Tenant-ID: acme\r\n\r\n".encode()
    )
    assert answer.startswith(b"HTTP/1.1 404 ")


async def test_the_default_tenant_serves_requests_that_name_none(
    data: Client, sidecar: Sidecar
) -> None:
    data.headers = {}
    sidecar.adapter.billing[A] = found("1")
    async with data.ask("GET", account(A)) as answer:
        assert answer.status == 400
        assert (await answer.json())["type"] == f"{PROBLEM}tenant-needed"
    sidecar.runtime.default_tenant = "acme"
    async with data.ask("GET", account(A)) as answer:
        assert answer.status == 200
    assert sidecar.records[0].tenant == "acme"


async def test_a_call_carries_the_budget_the_clock_and_the_trace_of_its_request(
    data: Client, sidecar: Sidecar
) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    now = asyncio.get_running_loop().time()
    headers = {"traceparent": trace, "X-Correlation-ID": "abc", "X-Request-Timeout-Ms": "90000"}
    async with data.ask("POST", "/v1/revenue-at-risk", json=asking(A), headers=headers):
        pass
    async with data.ask("GET", account(A), headers={"traceparent": "x\ty"}):
        pass
    batch, single = sidecar.adapter.calls
    assert now + 1.9 <= batch.deadline <= now + 5
    assert single.deadline - batch.deadline < 0
    assert (batch.asked_at, batch.correlation_id, batch.traceparent) == (NOW, "abc", trace)
    assert single.traceparent is None


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "soon", "", "1e3", "٣"])
async def test_a_timeout_that_is_no_number_of_milliseconds_is_400(data: Client, text: str) -> None:
    async with data.ask("GET", account(A), headers={"X-Request-Timeout-Ms": text}) as answer:
        assert answer.status == 400


async def test_a_customer_id_that_is_no_uuid_is_422_and_not_repeated(data: Client) -> None:
    async with data.ask("GET", "/v1/customers/447700900123/billing-account") as answer:
        assert answer.status == 422
        assert "447700900123" not in await answer.text()


async def test_the_record_of_a_question_counts_its_ids_and_says_how_it_ended(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.adapter.billing = {A: found("1"), B: Unavailable(Reason.VENDOR_ERROR)}
    headers = {"X-Correlation-ID": "one"}
    async with data.ask(
        "POST", "/v1/revenue-at-risk", json=asking(A, B, B), headers=headers
    ) as answer:
        await answer.read()
    (record,) = sidecar.records
    assert sidecar.begun == [Question.REVENUE_AT_RISK]
    assert (record.question, record.correlation_id) == (Question.REVENUE_AT_RISK, "one")
    assert (record.tenant, record.connection, record.ids) == ("acme", "vendor", 3)
    assert (record.outcome, record.reason) == (Outcome.DEGRADED, Reason.VENDOR_ERROR)
    assert 0 <= record.duration_s < 5


@pytest.mark.parametrize(
    ("asked", "kind"), [([A], "single"), ([A, A], "single"), ([A, B], "batch")], ids=str
)
async def test_a_question_is_a_batch_when_it_is_about_more_than_one_customer(
    data: Client, sidecar: Sidecar, asked: list[UUID], kind: str
) -> None:
    async with data.ask("POST", "/v1/revenue-at-risk", json=asking(*asked)) as answer:
        await answer.read()
    (call,) = sidecar.adapter.calls
    assert (call.tenant, call.is_batch) == ("acme", kind == "batch")


async def test_a_question_about_one_account_is_no_batch(data: Client, sidecar: Sidecar) -> None:
    async with data.ask("GET", account(A)) as answer:
        await answer.read()
    (call,) = sidecar.adapter.calls
    assert (call.tenant, call.is_batch) == ("acme", False)


async def test_two_pods_that_ask_about_the_same_customer_are_one_lookup(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.adapter.billing = {A: found("5")}
    sidecar.adapter.gate = asyncio.Event()

    async def fee() -> float:
        async with data.ask("GET", account(A)) as answer:
            return float((await answer.json())["monthly_fee"])

    async with asyncio.timeout(10), asyncio.TaskGroup() as pods:
        asked = [pods.create_task(fee()) for _ in range(2)]
        while len(sidecar.begun) < 2:  # noqa: ASYNC110  (nobody tells when a question has begun)
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
        sidecar.adapter.gate.set()
    assert [one.result() for one in asked] == [5.0, 5.0]
    assert len(sidecar.adapter.calls) == 1


async def test_when_the_pod_hangs_up_its_work_is_cancelled(data: Client, sidecar: Sidecar) -> None:
    sidecar.adapter.held = asyncio.Event()
    body = f'{{"customer_ids":["{A}"]}}'.encode()
    _, writer = await asyncio.open_connection("127.0.0.1", data.listener.bound.port)
    writer.write(
        b"POST /v1/revenue-at-risk HTTP/1.1\r\nHost: localhost\r\nX-Tenant-ID: acme\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    async with asyncio.timeout(10):
        await sidecar.adapter.asked.wait()
        writer.close()
        await sidecar.adapter.cancelled.wait()
        await sidecar.recorded.wait()
    assert sidecar.records[0].outcome is Outcome.CANCELLED
    assert sidecar.leases == 0


async def test_an_unforeseen_error_still_leaves_a_valid_result(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.adapter.billing = {A: Found("not billing")}  # type: ignore[dict-item]
    async with data.ask("POST", "/v1/revenue-at-risk", json=asking(A)) as answer:
        assert answer.status == 200
        assert (await answer.json())["requires_manual_valuation"] is True
        assert answer.headers["BSS-Degraded"] == "vendor_error;unavailable=1"
    assert [type(error) for error in sidecar.errors] == [AttributeError]


async def test_an_unforeseen_error_of_a_single_question_says_nothing_but_500(
    data: Client, sidecar: Sidecar
) -> None:
    sidecar.adapter.billing = {A: Found("a vendor's words")}  # type: ignore[dict-item]
    async with data.ask("GET", account(A)) as answer:
        assert answer.status == 500
        assert await answer.json() == {
            "type": f"{PROBLEM}internal",
            "title": "The sidecar made a mistake",
            "status": 500,
        }
    assert sidecar.records[0].outcome is Outcome.FAILED
