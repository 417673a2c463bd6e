"""The mock adapter through the whole sidecar, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from adapters.mock_adapter import MockBSSAdapter
from adapters.outcome import LookupFailed, Reason
from proxy.app import Sidecar
from tests.contract.numbering import customers_of
from tests.contract.over_http import OverHttp
from tests.contract.subject import Subject
from tests.contract.subjects.mock import plan_name
from tests.servers.sidecar import demonstration

VENDOR = "mock"
TENANT = "mock_demo"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    async with demonstration(scratch, setups={}) as running:
        assert running.sidecar is not None
        mock = _mock_in(running.sidecar)

        async def cut() -> None:
            mock.fail_with(LookupFailed(Reason.UNREACHABLE))

        async def restore() -> None:
            mock.fail_with(None)

        yield Subject(
            adapter=OverHttp(running.data, TENANT),
            source="mock",
            is_estimate=True,
            customers=customers_of(TENANT, plan_name),
            cut=cut,
            restore=restore,
        )


def _mock_in(sidecar: Sidecar) -> MockBSSAdapter:
    """At the bottom of its tenant's stack: nothing outside can make a mock fail."""
    desk = sidecar._runtime.desk(TENANT)
    assert desk is not None
    adapter: Any = desk.adapter
    while not isinstance(adapter, MockBSSAdapter):
        adapter = adapter.inner
    return adapter
