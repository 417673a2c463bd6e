"""Pedkai's own database through the whole sidecar, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from adapters.simulator.population import charges
from tests.contract.numbering import customers_of
from tests.contract.over_http import OverHttp
from tests.contract.subject import Subject
from tests.servers.sidecar import Locked, Stage, staged, within

VENDOR = "local"
TENANT = "local_demo"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    async with staged(scratch, setups={}) as stage, within(_patient(stage)) as running:
        locked = Locked(running.stage.database)
        yield Subject(
            adapter=OverHttp(running.data, TENANT),
            source="bss_local",
            is_estimate=False,
            customers=customers_of(TENANT, plan_name),
            cut=locked.begin,
            restore=locked.end,
        )


def _patient(stage: Stage) -> Stage:
    """Its breaker stays closed: who runs only the tests of cuts would open it with them, and what
    is judged here are answers.
    """
    settings = yaml.safe_load(stage.configuration.read_text(encoding="utf-8"))
    settings["connections"]["local"]["guard"] = {"breaker": {"minimum_calls": 1_000}}
    stage.configuration.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return stage


def plan_name(number: int) -> str | None:
    monthly = [charge.monthly() for charge in charges(TENANT, number)]
    if not monthly:
        return None
    return f"Home {monthly.index(max(monthly)) + 1} of line {number:06d}"
