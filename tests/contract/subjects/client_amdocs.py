"""Amdocs through the whole sidecar, asked by the client that Pedkai installs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.contract.over_http import vendor_through_sidecar
from tests.contract.subject import Subject
from tests.contract.through_client import through_client

VENDOR = "amdocs"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    async with vendor_through_sidecar("amdocs", scratch) as made, through_client(made) as asked:
        yield asked
