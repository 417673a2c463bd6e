"""What befalls a real PostgreSQL, whoever reads it: all of its lanes have it at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import asyncpg

from tests.chaos.relay import Relay
from tests.chaos.ways import Refuse

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
_POLL_S = 0.02


@asynccontextmanager
async def no_connection_left(relay: Relay) -> AsyncIterator[None]:
    """Others have taken every connection that the server gives; the relay's are among them."""
    async with AsyncExitStack() as stack:
        async with relay.behaving(Refuse()):  # which resets those that are open
            with suppress(asyncpg.TooManyConnectionsError):
                while True:
                    stack.push_async_callback((await _connected(relay)).close)
        yield


@asynccontextmanager
async def customers_locked(relay: Relay) -> AsyncIterator[None]:
    """A migration holds the table of customers: whoever reads it waits for its end."""
    connection = await _connected(relay)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def nobody_waits_for_a_lock(relay: Relay) -> None:
    """Ends when no query does; who no longer wants an answer has to take back the question."""
    connection = await _connected(relay)
    try:
        while await connection.fetchval(_WAITING):  # noqa: ASYNC110  (a database tells)
            await asyncio.sleep(_POLL_S)
    finally:
        await connection.close()


async def _connected(relay: Relay) -> "asyncpg.Connection[asyncpg.Record]":
    """Beside the relay."""
    assert isinstance(relay.to, Path)
    return await asyncpg.connect(user="pedkai", database="postgres", host=str(relay.to.parent))
