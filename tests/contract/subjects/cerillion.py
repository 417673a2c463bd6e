"""The Cerillion adapter, over a pretend vendor behind mutual TLS and OAuth2."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.contract.subject import Subject
from tests.contract.vendors import vendor_subject

VENDOR = "cerillion"


@asynccontextmanager
async def subject(scratch: Path) -> AsyncIterator[Subject]:
    async with vendor_subject("cerillion", scratch) as made:
        yield made
