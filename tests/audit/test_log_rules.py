"""What the contract asks of the log (section 5), in a sidecar that answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import yaml

from adapters.simulator.population import customer_id
from proxy.configuration import read_configuration
from tests.servers.sidecar import Demonstration, Stage, staged, within
from tests.servers.vendors import Setup

TENANT = "amdocs_demo"
FORGET = {"X-Tenant-ID": TENANT, "Content-Type": "application/json"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    async with staged(folder, setups={"amdocs": Setup(shape="amdocs")}) as made:
        yield made


async def every_question(running: Demonstration) -> list[dict[str, Any]]:
    """What the pod was told."""
    ids = [customer_id(TENANT, number) for number in range(40, 48)]
    account = await running.data.account(TENANT, ids[0])
    revenue = await running.data.revenue(TENANT, ids)
    await running.data.disputes(TENANT, ids)
    await running.data.ask("DELETE", f"/v1/customers/{ids[0]}/cache", headers=FORGET)
    return [account.json(), revenue.json()]


def lines(running: Demonstration, event: str, since: int = 0) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in running.log.getvalue()[since:].splitlines()]
    return [line for line in told if line["event"] == event]


async def at_level(running: Demonstration, stage: Stage, level: str, **more: Any) -> None:
    """As a file that changes while it serves."""
    await asyncio.to_thread(_rewrite, stage, level, more)
    assert running.sidecar is not None
    reading = read_configuration(stage.configuration, env={})
    assert not reading.problems
    await running.sidecar.take_up(reading)


def _rewrite(stage: Stage, level: str, more: dict[str, Any]) -> None:
    settings = yaml.safe_load(stage.configuration.read_text())
    settings["logging"]["level"] = level
    stage.configuration.write_text(yaml.safe_dump(settings | more))


async def test_each_question_is_one_line_at_info_and_no_fee_is_in_any(stage: Stage) -> None:
    async with within(stage) as running:
        account, revenue = await every_question(running)
        told = lines(running, "question")
        text = running.log.getvalue()
    assert [(line["question"], line["ids"], line["level"]) for line in told] == [
        ("billing_account", 1, "info"),
        ("revenue_at_risk", 8, "info"),
        ("disputes", 8, "info"),
        ("forget", 1, "info"),
    ]
    assert account["monthly_fee"]
    for name in ("monthly_fee", "plan_name", "account_id", "customer_id"):
        assert str(account[name]) not in text
        assert name not in text
    assert str(revenue["total_revenue_at_risk"]) not in text


async def test_the_level_changes_while_it_serves_and_the_audit_trail_has_none(
    stage: Stage,
) -> None:
    async with within(stage) as running:
        await at_level(running, stage, "error", audit={"sink": "stdout"})
        quiet = len(running.log.getvalue())
        _, revenue = await every_question(running)
        assert lines(running, "question", quiet) == []
        trail = lines(running, "audit", quiet)
        assert [line["question"] for line in trail] == [
            "billing_account", "revenue_at_risk", "disputes", "forget",
        ]  # fmt: skip
        assert trail[1]["total_revenue_at_risk"] == revenue["total_revenue_at_risk"]
        assert trail[1]["priced_customer_count"] == revenue["priced_customer_count"] >= 5
        await at_level(running, stage, "info", audit={"sink": "off"})
        loud = len(running.log.getvalue())
        await every_question(running)
        assert len(lines(running, "question", loud)) == 4
        assert lines(running, "audit", loud) == []
