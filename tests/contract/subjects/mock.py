"""The mock adapter, as a demonstration fills it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.identity import SameId
from adapters.mock_adapter import MockBSSAdapter
from adapters.outcome import LookupFailed, Reason
from adapters.ports import Ports
from tests.contract.numbering import customers_of
from tests.contract.subject import Subject

VENDOR = "mock"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    mock = MockBSSAdapter.from_ports(
        Ports(tenant="mock_demo", connection="mock", identity=SameId())
    )

    async def cut() -> None:
        mock.fail_with(LookupFailed(Reason.UNREACHABLE))

    async def restore() -> None:
        mock.fail_with(None)

    yield Subject(
        adapter=mock,
        source="mock",
        is_estimate=True,
        customers=customers_of("mock_demo", plan_name),
        cut=cut,
        restore=restore,
    )


def plan_name(number: int) -> str | None:
    return f"Mock plan {number % 7}" if number % 10 < 8 else None
