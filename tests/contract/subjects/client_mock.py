"""The mock adapter through the whole sidecar, asked by the client that Pedkai installs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.contract.subject import Subject
from tests.contract.subjects import sidecar_mock
from tests.contract.through_client import through_client

VENDOR = "mock"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    async with sidecar_mock.subject(scratch) as made, through_client(made) as asked:
        yield asked
