"""Pedkai's own database through the whole sidecar, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.simulator.population import charges
from tests.contract.numbering import customers_of
from tests.contract.over_http import OverHttp
from tests.contract.subject import Subject
from tests.servers.sidecar import Locked, demonstration

VENDOR = "local"
TENANT = "local_demo"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    async with demonstration(scratch, setups={}) as running:
        locked = Locked(running.stage.database)
        yield Subject(
            adapter=OverHttp(running.data, TENANT),
            source="bss_local",
            is_estimate=False,
            customers=customers_of(TENANT, plan_name),
            cut=locked.begin,
            restore=locked.end,
        )


def plan_name(number: int) -> str | None:
    monthly = [charge.monthly() for charge in charges(TENANT, number)]
    if not monthly:
        return None
    return f"Home {monthly.index(max(monthly)) + 1} of line {number:06d}"
