"""The whole sidecar over its three listeners, with the two vendors that need no network."""

import json
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio

from adapters.simulator.population import customer_id
from tests.servers.sidecar import Demonstration, Pod, demonstration

TENANTS = ("mock_demo", "local_demo")
ROUTES = {
    "data": ["/openapi.json"],
    "ops": ["/healthz", "/readyz", "/metrics"],
    "admin": ["/", "/v1/status"],
}
REVENUE = "/v1/revenue-at-risk"
JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Demonstration]:
    async with demonstration(tmp_path, setups={}) as running:
        yield running


def doors(demo: Demonstration) -> dict[str, Pod]:
    return {"data": demo.data, "ops": demo.ops, "admin": demo.admin}


async def test_each_listener_has_its_own_routes_and_no_others(demo: Demonstration) -> None:
    for name, door in doors(demo).items():
        for owner, paths in ROUTES.items():
            for path in paths:
                reply = await door.ask("GET", path)
                assert reply.status == (200 if owner == name else 404)
                assert reply.headers["cache-control"] == "no-store"
    for door in (demo.ops, demo.admin):
        reply = await door.ask("POST", REVENUE, json={"customer_ids": []})
        assert reply.status == 404


async def test_a_foreign_host_or_origin_comes_into_no_listener(
    demo: Demonstration,
) -> None:
    routes = (
        *((demo.data, "/openapi.json"), (demo.admin, "/"), (demo.admin, "/v1/status")),
        (demo.ops, "/metrics"),
    )
    for door, path in routes:
        for headers in (
            {"Host": "evil.example"},
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
        ):
            assert (await door.ask("GET", path, headers=headers)).status == 403
    assert (await demo.ops.ask("GET", "/readyz", headers={"Host": "localhost:8651"})).status == 200


@pytest.mark.parametrize("tenant", TENANTS)
async def test_two_hundred_customers_add_up_to_the_sum_of_each(
    demo: Demonstration, tenant: str
) -> None:
    ids = [customer_id(tenant, number) for number in range(200)]
    fees = []
    for one in ids:
        reply = await demo.data.account(tenant, one)
        account = reply.json() if reply.status == 200 else {}
        assert reply.status in {200, 404}
        fees.append(account.get("monthly_fee"))
    reply = await demo.data.revenue(tenant, ids)
    result = reply.json()
    priced = [Decimal(repr(fee)) for fee in fees if fee is not None]
    assert Decimal(repr(result["total_revenue_at_risk"])) == sum(priced)
    assert result["priced_customer_count"] == len(priced) == 160
    assert result["unpriced_customer_count"] == 40
    assert result["requires_manual_valuation"] is True
    assert result["is_estimate"] is (tenant == "mock_demo")
    assert reply.took_s < 2
    assert "bss-degraded" not in reply.headers


@pytest.mark.parametrize("tenant", TENANTS)
async def test_an_active_dispute_is_told_and_an_old_one_is_not(
    demo: Demonstration, tenant: str
) -> None:
    ids = [customer_id(tenant, number) for number in range(60)]
    reply = await demo.data.disputes(tenant, ids)
    assert reply.json() == {
        "customer_ids": [str(ids[5]), str(ids[55])],
        "unavailable_customer_ids": [],
    }


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"customer_ids":[]}', {}, 200),
        (b'{"customer_ids":[', {}, 400),
        (b'{"customer_ids":[]}', {"X-Tenant-ID": ""}, 404),
        (b'{"customer_ids":[]}', {"X-Tenant-ID": "nobody_here"}, 404),
        (b" " * (64 * 1024 + 1), {}, 413),
        (json.dumps({"customer_ids": [str(UUID(int=1))] * 201}).encode(), {}, 413),
        (b'{"customer_ids":[]}', {"Content-Type": "text/plain"}, 415),
        (b'{"customer_ids":["x"]}', {}, 422),
    ],
)
async def test_the_designed_statuses(
    demo: Demonstration, body: bytes, headers: dict[str, str], status: int
) -> None:
    sent = JSON | {"X-Tenant-ID": "mock_demo", "X-Trace-ID": "from-the-pod"} | headers
    reply = await demo.data.ask("POST", REVENUE, headers=sent, data=body)
    assert reply.status == status
    assert reply.headers["x-correlation-id"] == "from-the-pod"
    kind = "application/json" if status == 200 else "application/problem+json"
    assert reply.headers["content-type"].startswith(kind)


async def test_figures_and_status_count_what_was_asked_and_name_nobody(
    demo: Demonstration,
) -> None:
    ids = [customer_id("local_demo", number) for number in range(20)]
    await demo.data.revenue("local_demo", ids)
    await demo.data.account("local_demo", ids[9])
    metrics = (await demo.ops.ask("GET", "/metrics")).body.decode()
    asked = 'bss_sidecar_questions_total{connection="local",outcome="answered",question='
    assert f'{asked}"revenue_at_risk"}} 1.0' in metrics
    assert 'outcome="missing",question="billing_account"} 1.0' in metrics
    status = (await demo.admin.ask("GET", "/v1/status")).body.decode()
    assert json.loads(status)["connections"]["local"]["database"] == "open"
    for text in (metrics, status):
        assert not any(str(one) in text for one in ids)


async def test_the_log_has_a_line_for_each_question_and_nothing_personal(
    demo: Demonstration,
) -> None:
    ids = [customer_id("local_demo", number) for number in range(9)]
    accounts = [(await demo.data.account("local_demo", one)).json() for one in ids]
    await demo.data.revenue("local_demo", ids)
    await demo.data.disputes("local_demo", ids)
    await demo.data.ask("GET", f"/v1/customers/{ids[0]}x/billing-account")
    text = demo.log.getvalue()
    events = [json.loads(line)["event"] for line in text.splitlines()]
    assert (events.count("question"), events.count("refused")) == (len(ids) + 2, 1)
    personal = {
        str(account[name])
        for account in accounts
        for name in ("customer_id", "account_id", "plan_name", "monthly_fee")
        if account[name] is not None
    }
    assert len(personal) > 3 * len(ids) // 2
    assert [one for one in personal if re.search(rf"(?<![\d.]){re.escape(one)}(?!\d)", text)] == []
