"""CSG through the whole sidecar, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.contract.over_http import vendor_through_sidecar
from tests.contract.subject import Subject

VENDOR = "csg"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    async with vendor_through_sidecar("csg", scratch) as made:
        yield made
