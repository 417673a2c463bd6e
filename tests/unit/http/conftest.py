from collections.abc import AsyncIterator

import pytest

from proxy.http.gate import Gate
from tests.unit.http.doubles import Client, Sidecar, serving


@pytest.fixture
async def sidecar() -> AsyncIterator[Sidecar]:
    one = Sidecar()
    yield one
    await one.tasks.cancel()


@pytest.fixture
async def data(sidecar: Sidecar) -> AsyncIterator[Client]:
    async with serving(sidecar.door(), Gate(loopback_host=True)) as client:
        yield client
