"""The CSG adapter, over a pretend vendor behind mutual TLS and OAuth2."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.contract.subject import Subject
from tests.contract.vendors import vendor_subject

VENDOR = "csg"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    async with vendor_subject("csg", scratch) as made:
        yield made
