"""Amdocs through the whole sidecar, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.contract.over_http import vendor_through_sidecar
from tests.contract.subject import Subject

VENDOR = "amdocs"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    async with vendor_through_sidecar("amdocs", scratch) as made:
        yield made
