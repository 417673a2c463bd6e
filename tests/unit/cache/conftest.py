from collections.abc import AsyncIterator

import pytest

from proxy.cache.keys import new_rings
from tests.servers.leaping import LeapingClock, leaping_clock
from tests.unit.cache.caching import Sidecar, Vendor, memory


@pytest.fixture
async def clock() -> AsyncIterator[LeapingClock]:
    with leaping_clock() as made:
        yield made


@pytest.fixture
async def sidecar(clock: LeapingClock) -> AsyncIterator[Sidecar]:
    one = Sidecar(clock, memory(clock), new_rings())
    yield one
    await one.aclose()


@pytest.fixture
def vendor(sidecar: Sidecar) -> Vendor:
    return sidecar.vendor
