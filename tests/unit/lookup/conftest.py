from collections.abc import AsyncIterator

import pytest

from tests.servers.leaping import LeapingClock, leaping_clock
from tests.unit.lookup.flying import Bench


@pytest.fixture
async def clock() -> AsyncIterator[LeapingClock]:
    with leaping_clock() as made:
        yield made


@pytest.fixture
async def bench(clock: LeapingClock) -> AsyncIterator[Bench]:
    made = Bench()
    yield made
    assert await made.is_idle(), "no flight, task or waiter is left behind"
    await made.close()
